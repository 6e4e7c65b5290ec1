import { formatDuration } from '../base/durations.js';
import { type Facts, groupKeys } from './facts.js';
import { colours } from './look.js';
import { distinct, panelIdOf, titleOf, unitOf } from './naming.js';
import type { PanelSpec } from './panels/panel.js';
import { table } from './panels/table.js';
import { columnList, pickedTime, type Reading, type Window } from './reading.js';
import { aggregates, chosenKeys, freeName, known, plain } from './windows.js';

const MOST_MEASURES = 6;
const MOST_BARS = 20;

/** The latest value of each number per key, the largest first, as bars. */
export function latestValues(facts: Facts): PanelSpec[] {
  if (facts.keys.length === 0 || facts.kind === 'changes') return [];
  return facts.measures.slice(0, MOST_MEASURES).map((measure, index) => bars(facts, measure, index));
}

function bars(facts: Facts, measure: string, index: number): PanelSpec {
  const { reading, keys, value } = latest(facts, measure);
  const titles = distinct([...keys, measure].map(titleOf));
  const { unit, decimals } = unitOf(measure);
  return table({
    id: panelIdOf('bars', measure),
    at: [8 * (index % 3), 10 * Math.floor(index / 3), 8, 10],
    title: titleOf(measure),
    description: `The latest \`${measure}\` of each ${keys.map((key) => `\`${key}\``).join(', ')}: the ${MOST_BARS} largest. Dataset \`${facts.dataset}\`.`,
    reading,
    columns: [
      ...keys.map((column, i) => ({ column, title: titles[i]!, minWidth: 90, wrap: true })),
      {
        column: value,
        title: titles.at(-1)!,
        minWidth: 90,
        bar: colours.main,
        unit,
        ...(decimals === undefined ? {} : { decimals }),
      },
    ],
  });
}

interface Latest {
  readonly reading: Reading;
  readonly keys: readonly string[];
  /** The column of the bars. */
  readonly value: string;
}

function latest(facts: Facts, measure: string): Latest {
  const { dataset } = facts;
  const order = (column: string): Window => ({ sort: columnList([`-${column}`]), limit: String(MOST_BARS) });
  const filters = { ...inTime(facts), ...known(measure), ...chosenKeys(facts) };
  const grouped = isOncePerKey(facts) ? [] : groupKeys(facts);
  if (grouped.length === 0) {
    const keys = facts.keys.map(({ name }) => name);
    const reading = plain(facts, [...keys, measure], { ...filters, ...order(measure) });
    return { reading, keys, value: measure };
  }
  const keys = grouped.map(({ name }) => name);
  const value = freeName('value', keys);
  const columns = [...grouped, { name: value, type: 'number' as const }];
  const agg = aggregates([value, `last:${measure}`]);
  const window = { ...filters, agg, by: columnList(keys), ...order(value) };
  return { reading: { dataset, columns, window }, keys, value };
}

/** A snapshot has one row per item. If the time is part of the key, each item is one reading of many. */
function isOncePerKey({ kind, timeColumn, keyHasTime }: Facts): boolean {
  return timeColumn === null || (kind === 'snapshot' && !keyHasTime);
}

/** Of a log of polls the last ones, which have every item; of others what falls into the picked time. */
function inTime({ isPollLog, timeColumn, interval }: Facts): Window {
  if (timeColumn === null) return {};
  if (isPollLog && interval !== null) return { last: formatDuration(Math.ceil(interval * 2.5)) };
  return pickedTime;
}
