import { parseList } from '../address.js';
import type { ColumnJson } from '../types.js';
import type { Filter, Operator } from './window.js';

/**
 * The text typed in a column's header, and the filters that it means.
 *
 * | typed | means |
 * | --- | --- |
 * | `abc` | text: contains it; number, time, boolean: equals it |
 * | `=abc` `!=abc` | equals, differs |
 * | `>5` `>=5` `<5` `<=5` | as they read; two in one: `>=5 <9` |
 * | `in a,b` | one of these |
 * | `null` `!null` | has no value, has one |
 */

const SIGNS: readonly (readonly [sign: string, operator: Operator])[] = [
  ['!=', '__ne'],
  ['>=', '__gte'],
  ['<=', '__lte'],
  ['>', '__gt'],
  ['<', '__lt'],
  ['=', ''],
  ['in ', '__in'],
  ['~', '__contains'],
];

/** The filters of a text; null while it is incomplete (`>`) or its value does not fit the column's type. */
export function parseFilterText(typed: string, { name, type }: ColumnJson): Filter[] | null {
  const text = typed.trim();
  if (text === '') return [];
  if (text === 'null' || text === '!null') {
    return [{ column: name, operator: '__isnull', value: String(text === 'null') }];
  }
  const isList = text.startsWith('in ');
  const isRange = (type === 'number' || type === 'time') && !isList;
  const filters = (isRange ? text.split(/\s+/) : [text]).map((part): Filter => {
    const [sign, operator] = SIGNS.find(([one]) => part.startsWith(one)) ?? [
      '',
      type === 'string' ? '__contains' : '',
    ];
    return { column: name, operator: operator as Operator, value: part.slice(sign.length).trim() };
  });
  const isRight = filters.every(({ operator, value }) =>
    (operator === '__in' ? parseList(value) : [value]).every((one) => isValue(one, type)),
  );
  return isRight ? filters : null;
}

function isValue(text: string, type: ColumnJson['type']): boolean {
  if (text === '') return false;
  if (type === 'number') return /^-?\d+(\.\d+)?$/.test(text);
  if (type === 'boolean') return text === 'true' || text === 'false';
  if (type === 'time')
    return /^\d{12,14}$/.test(text) || (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text)));
  return true;
}

/** The shortest text for these filters of one column; null if there is none. */
export function filterText(filters: readonly Filter[], column: ColumnJson): string | null {
  const parts = filters.map(({ operator, value }) => {
    if (operator === '__isnull') return value === 'true' ? 'null' : '!null';
    return SIGNS.find((one) => one[1] === operator)![0] + value;
  });
  const written = parts.join(' ');
  const [only] = filters;
  const shortened = filters.length === 1 ? [only!.value, written] : [written];
  return shortened.find((text) => means(text, filters, column)) ?? (filters.length === 0 ? '' : null);
}

function means(text: string, filters: readonly Filter[], column: ColumnJson): boolean {
  const parsed = parseFilterText(text, column);
  return parsed !== null && JSON.stringify(parsed) === JSON.stringify(filters);
}
