import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  RowBuilder,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Flavour } from './flavour.js';
import { colours } from './look.js';
import type { PanelSpec } from './panels/panel.js';

/** A dashboard, for either flavour. */
export interface DashboardSpec {
  /** Stays the same for ever: people's links and alerts point at it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly refresh: string;
  /** What it and those it links to are tagged with; without it: the fleet's tag. */
  readonly tag?: string;
  /** Shows the links as a menu with this title: where there may be many. */
  readonly linkMenu?: string;
  /** The time picked at first, in Grafana's words. */
  readonly time: { readonly from: string; readonly to: string };
  /** IANA name; axes and "today" follow it wherever one looks from. */
  readonly timeZone: string;
  /** What the reader can choose, from left to right. */
  readonly variables?: readonly VariableSpec[];
  readonly sections: readonly Section[];
}

/** A variable of a dashboard, for either flavour. */
export type VariableSpec = (flavour: Flavour) => Builder<VariableModel>;

/** Panels that belong together, below a heading unless it has none. */
export interface Section {
  readonly title?: string;
  readonly collapsed?: boolean;
  readonly panels: readonly PanelSpec[];
}

/** Without it Grafana adds its own, which marks every change of an alert: lines and bands that cover a small plot. */
const noAlertMarks = {
  builtIn: 1,
  name: 'Annotations & Alerts',
  type: 'dashboard',
  datasource: { type: 'grafana', uid: '-- Grafana --' },
  iconColor: colours.past,
  enable: false,
  hide: true,
};

/** The fleet's dashboards carry it; the links between them go by it. */
const FLEET_TAG = 'dynamo-csv';

/** The dashboard as Grafana loads it (classic schema; the newer one loads with a warning in 12.4). */
export function renderDashboard(spec: DashboardSpec, flavour: Flavour): Dashboard {
  const tag = spec.tag ?? FLEET_TAG;
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([tag])
    .timezone(spec.timeZone)
    .weekStart('monday')
    .editable()
    .refresh(spec.refresh)
    .time(spec.time)
    .tooltip(DashboardCursorSync.Crosshair)
    .version(1)
    .link(
      new DashboardLinkBuilder(spec.linkMenu ?? 'Dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(spec.linkMenu !== undefined)
        .keepTime(false)
        .includeVars(false)
        .targetBlank(false),
    );
  for (const variable of spec.variables ?? []) builder.withVariable(variable(flavour));
  const dashboard = builder.build();
  dashboard.panels = stack(spec.sections, flavour);
  dashboard.annotations = { list: [noAlertMarks] };
  dashboard.templating = { list: dashboard.templating?.list ?? [] };
  // The library would hide the links in a menu.
  for (const link of dashboard.links!) delete link.placement;
  return dashboard;
}

/** Puts the sections below each other and each panel at its place in its section. */
function stack(sections: readonly Section[], flavour: Flavour): NonNullable<Dashboard['panels']> {
  const result: NonNullable<Dashboard['panels']> = [];
  let y = 0;
  for (const [i, section] of sections.entries()) {
    const top = section.title === undefined ? y : y + 1;
    const panels = section.panels.map((spec) => movedDown(spec.build(flavour), top));
    if (section.title === undefined) {
      result.push(...panels);
    } else {
      const row = new RowBuilder(section.title)
        .id(rowId(i))
        .collapsed(section.collapsed === true)
        .gridPos({ x: 0, y, w: 24, h: 1 })
        .build();
      if (section.collapsed === true) result.push({ ...row, panels });
      else result.push(row, ...panels);
    }
    y = section.collapsed === true ? top : Math.max(...panels.map(({ gridPos }) => gridPos!.y + gridPos!.h));
  }
  return result;
}

/** Rows are numbered apart from panels, whose numbers people link to. */
const rowId = (section: number) => 1000 + section;

function movedDown(builder: Builder<Panel>, top: number): Panel {
  const panel = builder.build();
  return { ...panel, gridPos: { ...panel.gridPos!, y: panel.gridPos!.y + top } };
}
