import type { Comparison, Filter } from '../window.js';
import { type CellKind, cellKind, cellText, fittingSql, instantSql, isAbsentSql } from './cell-sql.js';
import { decimalKey, decimalKeySql, formatDecimal, parseDecimal, unitsOf } from './decimal.js';
import type { SqlColumn } from './sql-table.js';
import type { Bindings } from './statement.js';

const SIGNS = { eq: '=', ne: 'IS DISTINCT FROM', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/**
 * SQL that is true for the rows that a filter keeps. An absent cell is kept by `ne` and `isnull=true` only, so that
 * `x=a` and `x__ne=a` share all rows between them; so is text in a column of numbers or booleans that is none.
 */
export function filterSql({ operator, values }: Filter, column: SqlColumn, bindings: Bindings): string {
  const { expression } = column;
  const kind = cellKind(column.column, column.type);
  const value = values[0] ?? '';
  switch (operator) {
    case 'isnull': {
      const absent = isAbsentSql(kind, expression);
      return value === 'true' ? absent : `NOT (${absent})`;
    }
    case 'contains':
      return `contains(${cellText(kind, expression)}, ${bindings.add(value)})`;
    case 'in':
      return values.length === 0
        ? 'false'
        : `(${values.map((item) => comparisonSql('eq', kind, column, item, bindings)).join(' OR ')})`;
    default:
      return comparisonSql(operator, kind, column, value, bindings);
  }
}

/** SQL of rows whose time is in [from, to), milliseconds since the epoch. */
export function timeSql(
  { from, to }: { readonly from: number | null; readonly to: number | null },
  column: SqlColumn,
  bindings: Bindings,
): string[] {
  const time = instantSql(cellKind(column.column, column.type), column.expression);
  const bounds = [];
  if (from !== null) bounds.push(`${time} >= ${instantValue(BigInt(from), bindings)}`);
  if (to !== null) bounds.push(`${time} < ${instantValue(BigInt(to), bindings)}`);
  return bounds;
}

function comparisonSql(
  comparison: Comparison,
  kind: CellKind,
  { column, expression, type }: SqlColumn,
  value: string,
  bindings: Bindings,
): string {
  if (column.type === 'number') return numberSql(comparison, kind, expression, type, value, bindings);
  if (column.type === 'time')
    return millisecondSql(comparison, instantSql(kind, expression), value, bindings);
  if (kind === 'boolean' && column.type === 'boolean') {
    return `${expression} ${SIGNS[comparison]} ${bindings.add(value, 'BOOLEAN')}`;
  }
  return `${cellText(kind, expression)} ${SIGNS[comparison]} ${bindings.add(value)}`;
}

/** A cell shows milliseconds; an instant within one is that millisecond. */
function millisecondSql(comparison: Comparison, time: string, value: string, bindings: Bindings): string {
  const start = () => instantValue(BigInt(value), bindings);
  const end = () => instantValue(BigInt(value) + 1n, bindings);
  switch (comparison) {
    case 'eq':
      return `(${time} >= ${start()} AND ${time} < ${end()})`;
    case 'ne':
      return `(${time} >= ${start()} AND ${time} < ${end()}) IS NOT TRUE`;
    case 'gt':
      return `${time} >= ${end()}`;
    case 'gte':
      return `${time} >= ${start()}`;
    case 'lt':
      return `${time} < ${start()}`;
    case 'lte':
      return `${time} < ${end()}`;
  }
}

function instantValue(milliseconds: bigint, bindings: Bindings): string {
  return `make_timestamptz(${bindings.add(String(milliseconds * 1000n), 'BIGINT')})`;
}

/**
 * A number compared with all its digits. A number that the column's type does not have lies between two that it has;
 * it is compared by one of them.
 */
function numberSql(
  comparison: Comparison,
  kind: CellKind,
  expression: string,
  type: string,
  value: string,
  bindings: Bindings,
): string {
  if (kind === 'double' || kind === 'float') {
    // The text of a FLOAT is another number as a DOUBLE.
    const number = kind === 'float' ? `CAST(CAST(${expression} AS VARCHAR) AS DOUBLE)` : expression;
    return `(${gridSql(comparison, number, 'DOUBLE', nearestDouble(value), bindings)}${
      comparison === 'eq' || comparison === 'ne' ? '' : ` AND isfinite(${expression})`
    })`;
  }
  if (kind === 'integer' || kind === 'decimal') {
    return gridSql(comparison, expression, type, nearestUnits(value, type), bindings);
  }
  const key = bindings.add(decimalKey(parseDecimal(value)));
  return `${decimalKeySql(fittingSql(kind, expression))} ${SIGNS[comparison]} ${key}`;
}

/** A value of a type that is close to a number, and where it lies from there. */
interface Neighbour {
  readonly text: string;
  readonly lies: 'exactly' | 'below' | 'above';
}

function gridSql(
  comparison: Comparison,
  expression: string,
  type: string,
  { text, lies }: Neighbour,
  bindings: Bindings,
): string {
  if (lies !== 'exactly' && comparison === 'eq') return 'false';
  if (lies !== 'exactly' && comparison === 'ne') return 'true';
  const asksForMore = comparison === 'gt' || comparison === 'gte';
  const signs = lies === 'below' ? ['>', '<='] : ['>=', '<'];
  const sign = lies === 'exactly' ? SIGNS[comparison] : asksForMore ? signs[0] : signs[1];
  return `${expression} ${sign} ${bindings.add(text, type)}`;
}

function nearestDouble(value: string): Neighbour {
  const number = Number(value);
  const finite = Number.isFinite(number) ? number : Math.sign(number) * Number.MAX_VALUE;
  const text = String(finite);
  const [found, wanted] = [decimalKey(parseDecimal(text)), decimalKey(parseDecimal(value))];
  return { text, lies: found === wanted ? 'exactly' : found < wanted ? 'below' : 'above' };
}

const INTEGER_BITS = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64, HUGEINT: 128 } as const;

/** `type` is an integer type, or `DECIMAL(width,scale)`. */
function nearestUnits(value: string, type: string): Neighbour {
  const { least, most, scale } = unitsOfType(type);
  const number = parseDecimal(value);
  const { units, exact } = unitsOf(number, scale);
  const write = (count: bigint) =>
    formatDecimal({ ...parseDecimal(String(count)), exponent: parseDecimal(String(count)).exponent - scale });
  if (units > most) return { text: write(most), lies: 'below' };
  if (units < least) return { text: write(least), lies: 'above' };
  if (exact) return { text: write(units), lies: 'exactly' };
  return { text: write(units), lies: number.negative ? 'above' : 'below' };
}

function unitsOfType(type: string): {
  readonly least: bigint;
  readonly most: bigint;
  readonly scale: number;
} {
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type);
  if (decimal !== null) {
    const most = 10n ** BigInt(decimal[1]!) - 1n;
    return { least: -most, most, scale: Number(decimal[2]) };
  }
  const isUnsigned = type.startsWith('U');
  const bits = BigInt(INTEGER_BITS[(isUnsigned ? type.slice(1) : type) as keyof typeof INTEGER_BITS]);
  return isUnsigned
    ? { least: 0n, most: 2n ** bits - 1n, scale: 0 }
    : { least: -(2n ** (bits - 1n)), most: 2n ** (bits - 1n) - 1n, scale: 0 };
}
