import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DataSourceRef,
  type DataTransformerConfig,
  type DynamicConfigValue,
  type GridPos,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Flavour } from '../flavour.js';
import type { Reading } from '../reading.js';

/** One panel of a dashboard, for either flavour. */
export interface PanelSpec {
  /** Stays the same for ever: alerts and people's links point at it. Unique in its dashboard. */
  readonly id: number;
  /** Column, row, width and height within its section; the grid is 24 columns wide. */
  readonly at: readonly [x: number, y: number, w: number, h: number];
  readonly title: string;
  build(flavour: Flavour): Builder<Panel>;
}

/** What every panel says, whatever it shows. */
export interface PanelText {
  readonly id: number;
  readonly at: readonly [x: number, y: number, w: number, h: number];
  readonly title: string;
  /** What is shown, where it comes from and what to make of it: behind the panel's "i". */
  readonly description: string;
  /** Shown instead of Grafana's "No data". */
  readonly noData?: string;
  /** Where a click on the title's link leads: `[title, url]`. */
  readonly link?: readonly [title: string, url: string];
}

/** What the library's panel builders have in common. */
interface AnyPanelBuilder extends Builder<Panel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: DataSourceRef): this;
  gridPos(gridPos: GridPos): this;
  targets(targets: Builder<Dataquery>[]): this;
  noValue(noValue: string): this;
  links(links: Builder<DashboardLink>[]): this;
}

/** What a panel says that has nothing to show, unless it has words of its own. */
export const NO_DATA = 'No data yet';

/** Title, place, data source and queries of a panel; the queries are named A, B, … in their order. */
export function furnish<P extends AnyPanelBuilder>(
  panel: P,
  text: PanelText,
  flavour: Flavour,
  readings: readonly Reading[],
): P {
  const [x, y, w, h] = text.at;
  panel
    .id(text.id)
    .title(text.title)
    .description(text.description)
    .datasource(flavour.dataSource)
    .gridPos({ x, y, w, h })
    .targets(readings.map((reading, i) => flavour.query(reading, String.fromCharCode(65 + i))))
    .noValue(text.noData ?? NO_DATA);
  if (text.link !== undefined) panel.links([linkTo(...text.link)]);
  return panel;
}

export function linkTo(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url);
}

/** Shows exactly these fields, in this order, under these names; needed because Infinity sorts its columns. */
export function arrange(fields: readonly (readonly [field: string, title: string])[]): DataTransformerConfig {
  return {
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(fields.map(([field], i) => [field, i])),
      renameByName: Object.fromEntries(fields),
      includeByName: {},
    },
  };
}

export const fieldColour = (colour: string): DynamicConfigValue => ({
  id: 'color',
  value: { mode: 'fixed', fixedColor: colour },
});
export const fieldTitle = (title: string): DynamicConfigValue => ({ id: 'displayName', value: title });
export const fieldUnit = (unit: string): DynamicConfigValue => ({ id: 'unit', value: unit });
export const fieldDecimals = (decimals: number): DynamicConfigValue => ({ id: 'decimals', value: decimals });
