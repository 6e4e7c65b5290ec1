import { fits } from '../../csv/fits.js';
import type { Column } from '../../csv/rows.js';
import type { Comparison, Filter } from '../window.js';
import { type ByteCell, toByteText } from './byte-text.js';
import { instantOf } from './instants.js';
import { compareNumberWith } from './numbers.js';

/** Whether a filter keeps a row with such a cell. */
export type CellTest = (cell: ByteCell) => boolean;

/**
 * An absent cell is kept by `ne` and `isnull=true` only, and so is text in a column of numbers or booleans that is none.
 * A test throws `Declined` for a cell that it cannot read.
 */
export function cellTest({ operator, values }: Filter, column: Column): CellTest {
  const value = values[0] ?? '';
  switch (operator) {
    case 'isnull':
      return (cell) => (cell === null || !fits(column.type, cell)) === (value === 'true');
    case 'contains': {
      const part = toByteText(value);
      return (cell) => cell?.includes(part) === true;
    }
    case 'in': {
      const tests = values.map((item) => comparison('eq', column, item));
      return (cell) => tests.some((test) => test(cell));
    }
    default:
      return comparison(operator, column, value);
  }
}

function comparison(operator: Comparison, column: Column, value: string): CellTest {
  const compare = compareWith(column, value);
  const holds = HOLDS[operator];
  return (cell) => (cell === null ? operator === 'ne' : holds(compare(cell)));
}

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

/** Compares a column's cells with a filter's value: below 0 for a smaller cell, NaN for one that has no order. */
function compareWith({ type }: Column, value: string): (cell: string) => number {
  if (type === 'number') return compareNumberWith(value);
  if (type === 'time') return (cell) => instantOf(cell) - Number(value);
  const text = toByteText(value);
  return (cell) => (cell < text ? -1 : cell > text ? 1 : 0);
}
