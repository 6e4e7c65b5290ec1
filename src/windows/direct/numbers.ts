import { isNumberText } from '../../csv/fits.js';
import { decimalKey, parseDecimal } from '../compile/decimal.js';

const PLAIN = /^-?\d+(?:\.\d+)?$/;
/** A double has fifteen decimal digits exactly, so such texts compare as their doubles do. */
const EXACT_LENGTH = 15;

/** Whether a double compares as the number does. */
export function isExactAsDouble(text: string): boolean {
  return text.length <= EXACT_LENGTH && PLAIN.test(text);
}

/** Text that compares as the number does, by all its digits; null for text that is not a number. */
export function numberKey(text: string): string | null {
  return isNumberText(text) ? decimalKey(parseDecimal(text)) : null;
}

/** Compares cells with a number: below 0 for a smaller cell, NaN for text that is not a number. */
export function compareNumberWith(value: string): (cell: string) => number {
  const key = decimalKey(parseDecimal(value));
  if (!isExactAsDouble(value)) return (cell) => order(numberKey(cell), key);
  const number = Number(value);
  return (cell) => (isExactAsDouble(cell) ? Number(cell) - number : order(numberKey(cell), key));
}

function order(a: string | null, b: string): number {
  if (a === null) return Number.NaN;
  return a < b ? -1 : a > b ? 1 : 0;
}
