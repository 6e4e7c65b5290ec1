import type { DashboardSpec, Section, VariableSpec } from './dashboard.js';
import { changesOverTime, lastChanges } from './dataset-changes.js';
import { latestValues } from './dataset-latest.js';
import { rowTable } from './dataset-rows.js';
import { overTime } from './dataset-series.js';
import { standing } from './dataset-standing.js';
import type { Facts } from './facts.js';
import { titleOf } from './naming.js';
import type { PanelSpec } from './panels/panel.js';
import { columnList } from './reading.js';
import { dashboardUid } from './uid.js';
import { plain, variableName } from './windows.js';

/** Dashboards of datasets carry it: with the fleet's tag each of them would be a link on the fleet's dashboards. */
const TABLE_TAG = 'dynamo-csv-table';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A dashboard for any dataset, from what is known about it: its rows and age, each number over time and by key, its changes,
 * and the rows themselves. `now` and all times in milliseconds.
 */
export function datasetDashboard(facts: Facts, timeZone: string, now: number): DashboardSpec {
  return {
    uid: dashboardUid(facts.dataset),
    title: facts.dataset,
    description: descriptionOf(facts),
    refresh: refreshOf(facts),
    time: { from: `now-${spanOf(facts, now)}`, to: 'now' },
    timeZone,
    tag: TABLE_TAG,
    linkMenu: 'Tables',
    variables: [...facts.values].map(([key, values]) => keyVariable(facts, key, values)),
    sections: sectionsOf(facts),
  };
}

function sectionsOf(facts: Facts): Section[] {
  const sections: { title?: string; panels: readonly PanelSpec[] }[] = [
    { panels: standing(facts) },
    { title: 'Over time', panels: overTime(facts) },
    { title: 'Latest values', panels: latestValues(facts) },
    { title: 'Changes', panels: [...changesOverTime(facts), ...lastChanges(facts)] },
    { title: 'Rows', panels: rowTable(facts) },
  ];
  return sections.filter(({ panels }) => panels.length > 0);
}

function descriptionOf({ dataset, source, description }: Facts): string {
  const what = description ?? `The dataset ${dataset} (${source})`;
  return `${what.replace(/\.$/, '')}. Made by dynamo-csv from what it knows about the dataset.`;
}

/** As often as it is read, within what Grafana offers. */
function refreshOf({ interval }: Facts): string {
  if (interval === null || interval <= MINUTE / 2) return '30s';
  const offered = [
    ['1m', MINUTE],
    ['5m', 5 * MINUTE],
    ['15m', 15 * MINUTE],
    ['30m', 30 * MINUTE],
  ] as const;
  return offered.find(([, length]) => interval <= length)?.[0] ?? '1h';
}

/** The shortest span that Grafana offers and that has the newest row in it, with some before it. */
function spanOf({ newest }: Facts, now: number): string {
  if (newest === null) return '6h';
  const age = now - newest;
  const offered = [
    ['6h', 3 * HOUR],
    ['24h', 12 * HOUR],
    ['7d', 4 * DAY],
    ['30d', 20 * DAY],
    ['90d', 60 * DAY],
    ['1y', 300 * DAY],
  ] as const;
  return offered.find(([, most]) => age <= most)?.[0] ?? '5y';
}

function keyVariable(facts: Facts, key: string, values: readonly string[]): VariableSpec {
  return (flavour) =>
    flavour.variable({
      name: variableName(key, [...facts.values.keys()]),
      label: titleOf(key),
      description: `Values of ${key} that all panels are limited to`,
      values,
      chosen: 'all',
      reading: plain(facts, [key], { agg: 'n=count', by: columnList([key]), sort: columnList([key]) }),
      definition: `${key} of ${facts.dataset}`,
    });
}
