import { formatDuration } from '../base/durations.js';
import type { Facts } from './facts.js';
import { colours, units } from './look.js';
import { panelIdOf, titleOf, unitOf } from './naming.js';
import type { PanelSpec } from './panels/panel.js';
import { type SeriesOptions, series, seriesByName } from './panels/series.js';
import { columnList, type Reading } from './reading.js';
import { aggregates, chosenKeys, freeName, overPickedTime, timed } from './windows.js';

/** Numbers that are drawn; more would be a page that nobody reads. */
const MOST_MEASURES = 8;
/** Lines that can be told apart in one plot. */
const MOST_LINES = 20;

/** Each number over the dataset's time, with a line per key where there are few of them. */
export function overTime(facts: Facts): PanelSpec[] {
  if (facts.timeColumn === null || facts.kind === 'changes') return [];
  const panels = facts.measures.slice(0, MOST_MEASURES).map((measure, index) => plot(facts, measure, index));
  // In a log of polls every poll has every row: their number says how often it was polled.
  return facts.isPollLog ? panels : [rowsPerStep(facts, panels.length), ...panels];
}

const placeOf = (index: number) => [12 * (index % 2), 9 * Math.floor(index / 2), 12, 9] as const;

/** The key whose values are the lines. */
function lineKey({ keys, values }: Facts) {
  return keys.find(({ name }) => {
    const count = values.get(name)?.length ?? 0;
    return count > 1 && count <= MOST_LINES;
  });
}

function plot(facts: Facts, measure: string, index: number): PanelSpec {
  const isCounted = !facts.isPollLog;
  const options = {
    id: panelIdOf('series', measure),
    at: placeOf(isCounted ? index + 1 : index),
    title: titleOf(measure),
    ...unitOf(measure),
    ...(facts.interval !== null && facts.isPollLog ? { interval: formatDuration(facts.interval) } : {}),
  };
  const key = lineKey(facts);
  if (key === undefined) return ranges(facts, measure, options);
  const value = freeName('value', [facts.timeColumn, key.name]);
  return seriesByName({
    ...options,
    description: `Average of \`${measure}\` per step, a line for each \`${key.name}\`. Dataset \`${facts.dataset}\`.`,
    reading: over(facts, [key, { name: value, type: 'number' }], {
      agg: aggregates([value, `avg:${measure}`]),
      by: columnList([key.name]),
    }),
    nameColumn: key.name,
    valueColumn: value,
    colour: 'many',
  });
}

type PlotOptions = Omit<SeriesOptions, 'description' | 'reading' | 'lines'>;

/** Lines that many items share: what is usual, and the extremes. */
function ranges(facts: Facts, measure: string, options: PlotOptions): PanelSpec {
  const [lowest, average, highest] = ['lowest', 'average', 'highest'].map((name) =>
    freeName(name, [facts.timeColumn]),
  ) as [string, string, string];
  return series({
    ...options,
    description: `Lowest, average and highest \`${measure}\` of all rows per step. Dataset \`${facts.dataset}\`.`,
    reading: over(facts, [lowest, average, highest].map(asNumber), {
      agg: aggregates([lowest, `min:${measure}`], [average, `avg:${measure}`], [highest, `max:${measure}`]),
    }),
    lines: [
      { column: lowest, title: 'Lowest', colour: colours.past },
      { column: average, title: 'Average', colour: colours.main, style: 'area' },
      { column: highest, title: 'Highest', colour: colours.second },
    ],
  });
}

const asNumber = (name: string) => ({ name, type: 'number' as const });

function over(
  facts: Facts,
  columns: Reading['columns'],
  aggregation: Readonly<Record<string, string>>,
): Reading {
  const { dataset, timeColumn } = facts;
  return {
    dataset,
    columns: [{ name: timeColumn!, type: 'time' }, ...columns],
    ...timed(timeColumn),
    window: { ...overPickedTime, ...aggregation, ...chosenKeys(facts) },
  };
}

function rowsPerStep(facts: Facts, others: number): PanelSpec {
  const count = freeName('rows', [facts.timeColumn]);
  return series({
    id: panelIdOf('count', ''),
    at: others === 0 ? [0, 0, 24, 9] : placeOf(0),
    title: 'Rows over time',
    description: `How many rows fall into each step by \`${facts.timeColumn}\`. Dataset \`${facts.dataset}\`.`,
    reading: over(facts, [asNumber(count)], { agg: aggregates([count, 'count']) }),
    lines: [{ column: count, title: 'Rows', colour: colours.main, style: 'bars' }],
    unit: units.count,
    min: 0,
  });
}
