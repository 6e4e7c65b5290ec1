import { distinctNames } from '../csv/columns.js';
import { encodeRows } from '../csv/encode.js';
import type { Cell, Column, ColumnType, EncodedRows } from '../csv/rows.js';
import type { AthenaResult } from './athena.js';

const NUMBERS = new Set(['tinyint', 'smallint', 'integer', 'int', 'bigint', 'decimal']);
const FRACTIONS = new Set(['double', 'float', 'real']);

/** Athena prints instants in UTC as `2026-11-24 15:30:00.000`, with a zone behind it if the type has one. */
const INSTANT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?: UTC)?$/;

/** The rows of a result as those of a dataset: numbers in plain decimals, instants as ISO 8601 in UTC. */
export function rowsOf({ columns, rows }: Pick<AthenaResult, 'columns' | 'rows'>): EncodedRows {
  const names = distinctNames(columns.map(({ name }) => name));
  const readers = columns.map(({ type }, index) => readerOf(type, rows, index));
  const typed = readers.map(({ type }, index): Column => ({ name: names[index]!, type, seen: true }));
  const cells = rows.map((row) =>
    row.map((cell, index) => (cell === null ? null : readers[index]!.read(cell))),
  );
  return encodeRows(typed, cells);
}

interface Reader {
  readonly type: ColumnType;
  readonly read: (cell: string) => Cell;
}

function readerOf(type: string, rows: AthenaResult['rows'], index: number): Reader {
  const same = (cell: string) => cell;
  if (NUMBERS.has(type)) return { type: 'number', read: same };
  if (FRACTIONS.has(type)) return { type: 'number', read: plainNumber };
  if (type === 'boolean') return { type: 'boolean', read: same };
  const isInstant =
    type.startsWith('timestamp') && rows.every(({ [index]: cell }) => cell == null || INSTANT.test(cell));
  return isInstant ? { type: 'time', read: isoOf } : { type: 'string', read: same };
}

function isoOf(cell: string): string {
  const [, day, time, fraction = ''] = INSTANT.exec(cell)!;
  return `${day}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
}

/** `1.0E20` → `100000000000000000000`, `2.0` → `2`; `NaN` and infinity are absent. */
function plainNumber(cell: string): Cell {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:E(-?\d+))?$/i.exec(cell);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '';
  const after = (point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits).replace(/0+$/, '');
  const size = `${before.replace(/^0+/, '') || '0'}${after === '' ? '' : `.${after}`}`;
  return sign === '-' && size !== '0' ? `-${size}` : size;
}
