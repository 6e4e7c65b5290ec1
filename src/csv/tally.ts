import { createYielder } from '../base/event-loop.js';
import { fits } from './fits.js';
import type { Column, ColumnType, EncodedRows } from './rows.js';
import { cellEnd } from './scan.js';

/** A number in DynamoDB's own notation: `00123` is text that only looks like one. */
const PLAIN_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** What the cells of a column hold. */
export interface Tally {
  total: number;
  /** Numbers as DynamoDB writes them, and booleans. */
  number: number;
  boolean: number;
  /** Cells that do not fit each of these types, and the first one's row and text. */
  readonly misfits: Record<'number' | 'boolean', Misfits>;
}

interface Misfits {
  count: number;
  row: number;
  text: string;
}

/** Counts the cells of these columns, in addition to what was counted `before`. Yields to the event loop. */
export async function tallyCells(
  rows: EncodedRows,
  wanted: ReadonlySet<string>,
  before: ReadonlyMap<string, Tally> = new Map(),
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = rows.columns.map(({ name }) => (wanted.has(name) ? (before.get(name) ?? noCells()) : null));
  const last = tallies.findLastIndex((tally) => tally !== null);
  const { body, ends } = rows;
  const breathe = createYielder();
  for (let row = 0; row < ends.length; row++) {
    if ((row & 255) === 0) await breathe();
    let at = row === 0 ? 0 : ends[row - 1]!;
    for (let cell = 0; cell <= last; cell++) {
      const end = cellEnd(body, at);
      const tally = tallies[cell];
      if (tally != null && end > at) addCell(tally, body.toString('latin1', at, end), row);
      at = end + 1;
    }
  }
  return new Map(
    rows.columns.flatMap(({ name }, index) => (tallies[index] == null ? [] : [[name, tallies[index]!]])),
  );
}

export function noCells(): Tally {
  const none = () => ({ count: 0, row: -1, text: '' });
  return { total: 0, number: 0, boolean: 0, misfits: { number: none(), boolean: none() } };
}

/** `written`: the cell as it is in the CSV, in quotes or not. */
function addCell(tally: Tally, written: string, row: number): void {
  tally.total += 1;
  if (PLAIN_NUMBER.test(written)) tally.number += 1;
  if (fits('boolean', written)) tally.boolean += 1;
  for (const type of ['number', 'boolean'] as const) {
    if (fits(type, written)) continue;
    const misfits = tally.misfits[type];
    if (misfits.count === 0) Object.assign(misfits, { row, text: written });
    misfits.count += 1;
  }
}

/**
 * The type of a column with values of several types: a number (or boolean) column if at least half of its values are, or all
 * but one; else text. `recorded`: the column as it was before, if it was.
 */
export function typeOfCells(tally: Tally, recorded: Column | undefined): ColumnType {
  const { total } = tally;
  const before = recorded?.seen ? recorded.type : null;
  const suits = (type: 'number' | 'boolean') => {
    const others = total - tally[type];
    return (tally[type] > 0 || type === before) && (others <= tally[type] || others <= 1);
  };
  if (total === 0 && before !== null) return before;
  if (before === 'boolean' && suits(before)) return before;
  return suits('number') ? 'number' : suits('boolean') ? 'boolean' : 'string';
}
