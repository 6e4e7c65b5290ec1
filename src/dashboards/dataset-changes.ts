import { formatDuration } from '../base/durations.js';
import type { ChangesFact, Facts } from './facts.js';
import { times, units } from './look.js';
import { distinct, panelIdOf, titleOf, unitOf } from './naming.js';
import type { PanelSpec } from './panels/panel.js';
import { seriesByName } from './panels/series.js';
import { table } from './panels/table.js';
import { columnList, pickedTime, type Window } from './reading.js';
import { aggregates, chosenKeys, freeName, overPickedTime } from './windows.js';

const MOST_CHANGES = 50;
/** Columns of the table of changes, besides time and kind: keys first, then values with what they were before. */
const MOST_COLUMNS = 10;

/** The changes of a table, or of the dataset itself if it is one of changes. */
function changesIn(facts: Facts): ChangesFact | null {
  if (facts.kind !== 'changes') return facts.changes;
  const { dataset, columns, timeColumn } = facts;
  const kindColumn = columns[0]?.name;
  if (timeColumn === null || kindColumn === undefined) return null;
  return { dataset, kindColumn, timeColumn, columns };
}

/** Inserts, updates and deletes per step. */
export function changesOverTime(facts: Facts): PanelSpec[] {
  const changes = changesIn(facts);
  if (changes === null) return [];
  const { dataset, kindColumn, timeColumn } = changes;
  const count = freeName('changes', [kindColumn, timeColumn]);
  return [
    seriesByName({
      id: panelIdOf('changes', ''),
      at: [0, 0, 24, 8],
      title: 'Changes over time',
      description: `Items inserted, updated and deleted per step. Dataset \`${dataset}\`.`,
      noData: 'No change in this time',
      reading: {
        dataset,
        columns: [
          { name: timeColumn, type: 'time' },
          { name: kindColumn, type: 'string' },
          { name: count, type: 'number' },
        ],
        time: timeColumn,
        window: {
          ...overPickedTime,
          agg: aggregates([count, 'count']),
          by: columnList([kindColumn]),
          ...chosen(facts, changes),
        },
      },
      nameColumn: kindColumn,
      valueColumn: count,
      colour: 'many',
      unit: units.count,
      min: 0,
      ...(facts.interval === null ? {} : { interval: formatDuration(facts.interval) }),
    }),
  ];
}

/** The table's keys are columns of its changes, too. */
function chosen(facts: Facts, { columns }: ChangesFact): Window {
  const isThere = [...facts.values.keys()].every((key) => columns.some(({ name }) => name === key));
  return isThere ? chosenKeys(facts) : {};
}

/** The last changes, with the values after and before. */
export function lastChanges(facts: Facts): PanelSpec[] {
  const changes = changesIn(facts);
  if (changes === null) return [];
  const { dataset, kindColumn, timeColumn, columns } = changes;
  const shown = [timeColumn, kindColumn, ...valuesFirst(facts, changes)].slice(0, MOST_COLUMNS + 2);
  const titles = distinct(shown.map(titleOf));
  const typed = shown.map((name) => columns.find((column) => column.name === name)!);
  return [
    table({
      id: panelIdOf('last changes', ''),
      at: [0, 8, 24, 10],
      title: 'Last changes',
      description: `The last ${MOST_CHANGES} changes in the picked time, newest first. Dataset \`${dataset}\`.`,
      noData: 'No change in this time',
      reading: {
        dataset,
        columns: typed,
        time: timeColumn,
        window: {
          ...pickedTime,
          ...chosen(facts, changes),
          sort: columnList([`-${timeColumn}`]),
          limit: String(MOST_CHANGES),
        },
      },
      columns: typed.map(({ name, type }, i) => ({
        column: name,
        title: titles[i]!,
        minWidth: 100,
        ...(type === 'time' ? { unit: times.moment, width: 170 } : {}),
        ...(type === 'number' ? unitOfChange(facts, name) : {}),
      })),
    }),
  ];
}

/** Numbers that say which item it was have no separators. */
function unitOfChange({ keys }: Facts, name: string) {
  return keys.some((key) => key.name === name)
    ? { unit: units.none }
    : unitOf(name.replace(/^previous_/, ''));
}

/** Keys, then each value beside the one before, then the rest. */
function valuesFirst(facts: Facts, { columns, kindColumn, timeColumn }: ChangesFact): string[] {
  const names = columns.map(({ name }) => name);
  const keys = facts.keys.map(({ name }) => name).filter((name) => names.includes(name));
  const pairs = names.flatMap((name) =>
    names.includes(`previous_${name}`) ? [name, `previous_${name}`] : [],
  );
  return [...new Set([...keys, ...pairs, ...names])].filter(
    (name) => name !== kindColumn && name !== timeColumn,
  );
}
