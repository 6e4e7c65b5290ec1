import { formatDuration } from '../base/durations.js';
import type { Facts } from './facts.js';
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
  const { reading, value } = latest(facts, measure);
  const keys = facts.keys.map(({ name }) => name);
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

function latest(facts: Facts, measure: string): { reading: Reading; value: string } {
  const order = (column: string): Window => ({ sort: columnList([`-${column}`]), limit: String(MOST_BARS) });
  const keys = facts.keys.map(({ name }) => name);
  if (isOncePerKey(facts)) {
    const window = { ...inTime(facts), ...known(measure), ...chosenKeys(facts), ...order(measure) };
    return { reading: plain(facts, [...keys, measure], window), value: measure };
  }
  const value = freeName('value', keys);
  const { dataset } = facts;
  const columns = [...facts.keys, { name: value, type: 'number' as const }];
  const agg = aggregates([value, `last:${measure}`]);
  const window = {
    ...inTime(facts),
    ...known(measure),
    ...chosenKeys(facts),
    agg,
    by: columnList(keys),
    ...order(value),
  };
  return { reading: { dataset, columns, window }, value };
}

/** A snapshot has one row per item. With a time of its own it may have one per reading: then the key without it repeats. */
function isOncePerKey({ kind, timeColumn, keyHasTime }: Facts): boolean {
  return timeColumn === null || (kind === 'snapshot' && !keyHasTime);
}

/**
 * The last poll of a log, which has every item; of others what falls into the picked time. A log's polls are asked for by
 * age, so that the answer does not grow with what is picked.
 */
function inTime({ kind, timeColumn, interval }: Facts): Window {
  if (timeColumn === null) return {};
  if (kind === 'log' && interval !== null) return { last: formatDuration(Math.ceil(interval * 2.5)) };
  return pickedTime;
}
