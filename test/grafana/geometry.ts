import { textWidth } from './font.js';
import type { DashboardJson, JsonObject, PanelJson } from './provisioning.js';

/**
 * Where Grafana draws what, in CSS pixels. Read from the sources of Grafana 12.4 and seen in it:
 * https://github.com/grafana/grafana/tree/v12.4.0, in public/app/core/constants.ts (the grid),
 * packages/grafana-ui/src/components/PanelChrome (frame and heading of a panel),
 * packages/grafana-ui/src/components/Table/TableNG (columns and rows) and
 * public/app/features/dashboard-scene (margins of the page).
 */

/** The grid. */
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;

/** The docked menu, which is open at first on a screen of this width or more. */
const MENU = 300;
const MENU_FROM = 1_200;
/** Left and right of the grid: margins, the scrollbar, and from version 13 on the sidebar. */
const SIDES = 86;
/** Up to this width panels stand below each other, each over the whole width. */
const ONE_COLUMN_UP_TO = 768;

/** Round a panel's content, on both sides: border and padding. */
const FRAME = 2 * (1 + 8);
const HEADING = 40;
/** Of a heading's width: border, padding, the "i" of the description, the menu's button, and the gaps between them. */
const HEADING_TAKEN = 2 + 20 + 32 + 24 + 24;
/** A link beside the title, where there is one. */
const HEADING_LINK = 32;

const TABLE_HEADING = 34;
const TABLE_ROW = 36;
/** Left and right in a cell. */
const CELL_PADDING = 2 * 6;
/** What a column gets that has neither a width nor a least one. */
const DEFAULT_LEAST = 150;

/** A wall display in kiosk mode without time picker, variables and links: the space above and below the grid. */
const KIOSK_MARGINS = 2 * 8 + 16 + 1;

/** The width of a panel in a window of that width. */
export function panelWidth({ gridPos }: PanelJson, window: number): number {
  if (window <= ONE_COLUMN_UP_TO) return window - 32;
  const grid = window - (window >= MENU_FROM ? MENU : 0) - SIDES;
  const column = (grid - (COLUMNS - 1) * GAP) / COLUMNS;
  return gridPos.w * column + (gridPos.w - 1) * GAP;
}

export const panelHeight = ({ gridPos }: PanelJson) => gridPos.h * ROW + (gridPos.h - 1) * GAP;

/** What the title has, and what it needs. */
export function titleWidths(panel: PanelJson, window: number): { has: number; needs: number } {
  const links = (panel as { links?: readonly unknown[] }).links ?? [];
  return {
    has: panelWidth(panel, window) - HEADING_TAKEN - (links.length > 0 ? HEADING_LINK : 0),
    needs: textWidth(panel.title, 14, 500),
  };
}

/** The height of a whole dashboard on a wall display, with its margins. */
export function kioskHeight({ panels }: DashboardJson): number {
  const rows = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return rows * (ROW + GAP) - GAP + KIOSK_MARGINS;
}

/** How many rows a table shows without scrolling, as long as no text goes on in a second line. */
export function tableRows(panel: PanelJson): number {
  return Math.floor((panelHeight(panel) - HEADING - FRAME - TABLE_HEADING) / TABLE_ROW);
}

export interface TableColumnWidth {
  readonly title: string;
  /** Of its text, without the padding. */
  readonly width: number;
  readonly isWrapped: boolean;
}

/** The columns of a table that names them all, and the width that its panel has for them. */
export function tableColumns(
  panel: PanelJson,
  window: number,
): { readonly columns: TableColumnWidth[]; readonly total: number; readonly room: number } {
  const room = panelWidth(panel, window) - FRAME;
  const defaults = customOf(panel.fieldConfig!.defaults);
  const configured = titlesOf(panel).map((title) => ({ title, ...defaults, ...overrideOf(panel, title) }));
  const fixed = configured.reduce((sum, { width = 0 }) => sum + width, 0);
  const free = configured.filter(({ width }) => width === undefined).length;
  const widths = configured.map(
    ({ width, minWidth = DEFAULT_LEAST }) => width ?? Math.max(minWidth, (room - fixed) / free),
  );
  const columns = configured.map(({ title, wrapText }, i) => ({
    title,
    width: widths[i]! - CELL_PADDING,
    isWrapped: wrapText === true,
  }));
  return { columns, total: widths.reduce((sum, width) => sum + width, 0), room };
}

interface ColumnConfig {
  readonly width?: number;
  readonly minWidth?: number;
  readonly wrapText?: boolean;
}

const customOf = (defaults: JsonObject): ColumnConfig => (defaults.custom ?? {}) as ColumnConfig;

function overrideOf(panel: PanelJson, title: string): ColumnConfig {
  const rules = panel.fieldConfig!.overrides.filter(
    ({ matcher }) => (matcher as JsonObject).options === title,
  );
  const properties = rules.flatMap(({ properties }) => properties as { id: string; value: unknown }[]);
  return Object.fromEntries(
    properties
      .filter(({ id }) => id.startsWith('custom.'))
      .map(({ id, value }) => [id.slice('custom.'.length), value]),
  );
}

/** As the last transformation names and orders them. */
function titlesOf({ transformations = [] }: PanelJson): string[] {
  const { renameByName } = transformations.at(-1)!.options as { renameByName: Record<string, string> };
  return Object.values(renameByName);
}
