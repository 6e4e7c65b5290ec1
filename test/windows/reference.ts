import type { Cell, Column } from '../../src/csv/rows.js';
import type { TestTable } from './duckdb-table.js';

/** What a window does to rows of text, written plainly. */

export interface FilterCase {
  readonly index: number;
  readonly operator: string;
  readonly values: readonly string[];
}

export function keeps({ operator, values }: FilterCase, cell: Cell, column: Column): boolean {
  if (operator === 'isnull') return (cell === null) === (values[0] === 'true');
  if (operator === 'ne') return cell === null || compare(column, cell, values[0]!) !== 0;
  if (cell === null) return false;
  if (operator === 'in') return values.some((value) => compare(column, cell, value) === 0);
  if (operator === 'contains') return cell.includes(values[0]!);
  const order = compare(column, cell, values[0]!);
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'gt':
      return order > 0;
    case 'gte':
      return order >= 0;
    case 'lt':
      return order < 0;
    default:
      return order <= 0;
  }
}

/** For a sort: absent cells last either way. */
export function compareCells(column: Column, a: Cell, b: Cell, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return descending ? compare(column, b, a) : compare(column, a, b);
}

function compare({ type }: Column, a: string, b: string): number {
  if (type === 'number') return difference(units(a), units(b));
  if (type === 'time') return Date.parse(a) - Date.parse(b);
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A plain decimal in units of 10^-400. */
function units(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(400, '0')) || 0n;
}

function difference(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const DAY = 86_400_000;
const newYork = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' });

/** Which step of this length an instant is in; steps of whole days are New York's, of weeks from Monday on. */
function stepOf(at: string, length: number): number {
  if (length % DAY !== 0) return Math.floor(Date.parse(at) / length);
  const day = Date.parse(newYork.format(Date.parse(at))) / DAY;
  const days = length / DAY;
  // 5 January 1970 was a Monday.
  return Math.floor((day - (days % 7 === 0 ? 4 : 0)) / days);
}

type Row = readonly Cell[];

/** Rows of counter_type, zone, count, timestamp. */
export function everyRows(rows: readonly Row[], length: number): Row[] {
  const inTime = rows.filter((row) => row[3] !== null).sort((a, b) => Date.parse(a[3]!) - Date.parse(b[3]!));
  const lastOf = new Map<string, Row>();
  for (const row of inTime) lastOf.set(JSON.stringify([stepOf(row[3]!, length), row[0], row[1]]), row);
  const kept = new Set(lastOf.values());
  return inTime.filter((row) => kept.has(row));
}

/** The same rows, by `counter_type` or `zone`, with the count as value. */
export function pivotRows({ dataset, rows }: TestTable, by: string, every: number | null) {
  const index = dataset.columns.findIndex(({ name }) => name === by);
  const timed = rows.filter((row) => row[3] !== null && row[index] !== null);
  const kept = every === null ? timed : everyRows(rows, every).filter((row) => row[index] !== null);
  const values = [...new Set(kept.map((row) => row[index]!))];
  values.sort((a, b) => compare(dataset.columns[index]!, a, b));
  const groups = new Map<number, Row[]>();
  for (const row of kept) {
    const group = every === null ? Date.parse(row[3]!) : stepOf(row[3]!, every);
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const pivoted = [...groups.values()].map((group): Row => {
    const time = group
      .map((row) => row[3]!)
      .sort()
      .at(-1)!;
    // Of several rows with one value the one that stood last counts.
    const standing = [...group].sort((a, b) => rows.indexOf(a) - rows.indexOf(b));
    return [time, ...values.map((value) => standing.findLast((row) => row[index] === value)?.[2] ?? null)];
  });
  pivoted.sort((a, b) => Date.parse(a[0]!) - Date.parse(b[0]!));
  // A value that is called like the time column gets another name.
  return { names: values.map((value) => (value === 'timestamp' ? 'timestamp_2' : value)), rows: pivoted };
}
