import type { Facts } from './facts.js';
import { colours, units } from './look.js';
import type { PanelSpec } from './panels/panel.js';
import { stat } from './panels/stat.js';
import { pickedTime, type Reading } from './reading.js';
import { aggregates } from './windows.js';
import { freshness } from './words.js';

/** Numbers of the panels that alerts link to. */
export const panelIds = { rows: 1, age: 2, changes: 3 } as const;

/** How many rows a dataset has, how old it is, and how much changes. */
export function standing(facts: Facts): PanelSpec[] {
  const panels = [rows(facts)];
  if (facts.interval !== null) panels.push(age(facts));
  if (facts.changes !== null) panels.push(changes(facts));
  return panels;
}

function rows(facts: Facts): PanelSpec {
  const { dataset, interval } = facts;
  return stat({
    id: panelIds.rows,
    at: [0, 0, 8, 4],
    title: 'Rows',
    description: `Rows of ${dataset} as of the last read. ${from(facts)}`,
    noData: 'Not read yet',
    reading: interval === null ? counted(dataset) : collected(dataset, ['rows']),
    show: [{ column: 'rows' }],
    unit: units.count,
    decimals: 0,
    colour: colours.main,
  });
}

/** The service's own figures are of polled datasets only. */
const from = ({ dataset, interval }: Facts) =>
  interval === null ? `Dataset \`${dataset}\`.` : 'Dataset `collector`.';

const counted = (dataset: string): Reading => ({
  dataset,
  columns: [{ name: 'rows', type: 'number' }],
  window: { agg: aggregates(['rows', 'count']) },
});

function collected(dataset: string, columns: readonly ('rows' | 'state' | 'age_seconds')[]): Reading {
  return {
    dataset: 'collector',
    columns: columns.map((name) => ({ name, type: name === 'state' ? 'string' : 'number' })),
    window: { dataset },
  };
}

function age({ dataset }: Facts): PanelSpec {
  return stat({
    id: panelIds.age,
    at: [8, 0, 8, 4],
    title: 'Age',
    description: `Time since ${dataset} was last read: late from one and a half polling intervals, stale from three. Dataset \`collector\`.`,
    noData: 'Not read yet',
    reading: collected(dataset, ['state', 'age_seconds']),
    show: [{ column: 'state' }, { column: 'age_seconds' }],
    unit: units.seconds,
    decimals: 0,
    colour: colours.past,
    mappings: freshness,
  });
}

function changes(facts: Facts): PanelSpec {
  const { dataset } = facts.changes!;
  return stat({
    id: panelIds.changes,
    at: [16, 0, 8, 4],
    title: 'Changes',
    description: `Items inserted, updated or deleted in the picked time. Dataset \`${dataset}\`.`,
    noData: 'None',
    reading: {
      dataset,
      columns: [{ name: 'changes', type: 'number' }],
      window: { ...pickedTime, agg: aggregates(['changes', 'count']) },
    },
    show: [{ column: 'changes' }],
    unit: units.count,
    decimals: 0,
    colour: colours.second,
  });
}
