import { decimalKey, parseDecimal } from '../compile/decimal.js';
import { Declined } from './declined.js';

const NUMBER = /^-?\d+\.?\d*(?:[eE][+-]?\d{1,6})?$/;
const PLAIN = /^-?\d+(?:\.\d+)?$/;
/** A double has fifteen decimal digits exactly, so such texts compare as their doubles do. */
const EXACT_LENGTH = 15;

/** Whether a double compares as the number does. */
export function isExactAsDouble(text: string): boolean {
  return text.length <= EXACT_LENGTH && PLAIN.test(text);
}

/** Text that compares as the number does, by all its digits. Throws `Declined` for what is not a number. */
export function numberKey(text: string): string {
  if (!NUMBER.test(text)) throw new Declined(`the number ${JSON.stringify(text)}`);
  return decimalKey(parseDecimal(text));
}

/** The double next to a number; infinite for one that no double holds. Throws `Declined` for what is not a number. */
export function numberOf(text: string): number {
  if (!NUMBER.test(text)) throw new Declined(`the number ${JSON.stringify(text)}`);
  return Number(text);
}

/** Compares cells with a number: below 0 for a smaller cell. */
export function compareNumberWith(value: string): (cell: string) => number {
  const key = numberKey(value);
  if (!isExactAsDouble(value)) return (cell) => order(numberKey(cell), key);
  const number = Number(value);
  return (cell) => (isExactAsDouble(cell) ? Number(cell) - number : order(numberKey(cell), key));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
