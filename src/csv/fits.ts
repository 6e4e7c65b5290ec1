import type { ColumnType } from './rows.js';

/** A number as this service, JSON or Python writes it (`1.` and `1E+2` too), as a pattern for JavaScript and RE2. */
export const NUMBER_PATTERN = '-?[0-9]+[.]?[0-9]*([eE][+-]?[0-9]{1,6})?';
const NUMBER = new RegExp(`^${NUMBER_PATTERN}$`);

export function isNumberText(text: string): boolean {
  return NUMBER.test(text);
}

/** Whether a cell that is not absent has a value of that type. Times have more than one form and are not looked at. */
export function fits(type: ColumnType, text: string): boolean {
  if (type === 'number') return isNumberText(text);
  return type !== 'boolean' || text === 'true' || text === 'false';
}
