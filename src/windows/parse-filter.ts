import { closest } from '../base/closest.js';
import { parseInstant } from '../csv/instant.js';
import type { Column } from '../csv/rows.js';
import { formatDecimal, parsePlainDecimal } from './compile/decimal.js';
import { badParameter } from './errors.js';
import {
  listOf,
  named,
  SHAPE_PARAMETERS,
  SPREADSHEET_PARAMETERS,
  shown,
  WHERE,
  WINDOW_PARAMETERS,
} from './parameters.js';
import { type Filter, OPERATORS, type Operator, type WindowedDataset } from './window.js';

const MARK = '__';
const PARAMETERS = [...WINDOW_PARAMETERS, ...SHAPE_PARAMETERS, ...SPREADSHEET_PARAMETERS];

/** A parameter that is no other one: a column's name, with an operator or without, and what it is compared with. */
export function parseFilter(name: string, text: string, dataset: WindowedDataset): Filter {
  const target = targetOf(name, dataset.columns) ?? unknownParameter(name, dataset);
  const { column, operator } = target;
  const value = (item: string) => parseValue(name, item, column);
  switch (operator) {
    case 'in': {
      const values = [...new Set(listOf(text).map(value))].sort();
      return { column: column.name, operator: values.length === 1 ? 'eq' : 'in', values };
    }
    case 'contains':
      return { column: column.name, operator, values: [text] };
    case 'isnull':
      if (text !== 'true' && text !== 'false') {
        throw badParameter(
          `${named(name)}: ${shown(text)} is neither true nor false`,
          `write ${name}=true or ${name}=false`,
        );
      }
      return { column: column.name, operator, values: [text] };
    default:
      if (column.type === 'boolean' && operator !== 'eq' && operator !== 'ne') {
        throw badParameter(
          `${named(name)}: ${named(column.name)} is true or false and has no order`,
          'compare it by =true, =false or __ne',
        );
      }
      return { column: column.name, operator, values: [value(text)] };
  }
}

interface Target {
  readonly column: Column;
  readonly operator: Operator;
}

/** An exact column's name takes precedence over an operator, and `where.` over a name that begins so itself. */
function targetOf(name: string, columns: readonly Column[]): Target | undefined {
  const written = name.startsWith(WHERE) ? [name.slice(WHERE.length), name] : [name];
  for (const text of written) {
    const exact = columns.find((column) => column.name === text);
    if (exact !== undefined) return { column: exact, operator: 'eq' };
    const operator = OPERATORS.find((operator) => operator !== 'eq' && text.endsWith(MARK + operator));
    if (operator === undefined) continue;
    const base = text.slice(0, -(MARK.length + operator.length));
    const column = columns.find((candidate) => candidate.name === base);
    if (column !== undefined) return { column, operator };
  }
  return undefined;
}

function unknownParameter(name: string, { name: dataset, columns }: WindowedDataset): never {
  const text = name.startsWith(WHERE) ? name.slice(WHERE.length) : name;
  const at = text.lastIndexOf(MARK);
  const column = columns.find((candidate) => candidate.name === text.slice(0, at));
  if (at > 0 && column !== undefined) {
    const operators = OPERATORS.slice(1).map((operator) => MARK + operator);
    throw badParameter(`${named(name)}: there is no such operator`, `write one of ${operators.join(' ')}`);
  }
  const columnNames = columns.map((candidate) => candidate.name);
  const close = closestFilter(text, columnNames) ?? closest(text, [...columnNames, ...PARAMETERS]);
  throw badParameter(
    `${named(name)}: there is no such column or parameter in ${dataset}`,
    close === undefined ? `its columns are ${listed(columnNames)}` : `did you mean ${named(close)}?`,
  );
}

/** `cuont__gt` → `count__gt`: the column that was meant, with the operator as it is written. */
function closestFilter(text: string, columnNames: readonly string[]): string | undefined {
  const operator = OPERATORS.find((operator) => text.endsWith(MARK + operator));
  if (operator === undefined) return undefined;
  const close = closest(text.slice(0, -(MARK.length + operator.length)), columnNames);
  return close === undefined ? undefined : `${close}${MARK}${operator}`;
}

/** Names on one line, not all of very many. */
export function listed(names: readonly string[]): string {
  const MOST = 20;
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
  return names.slice(0, MOST).map(named).join(', ') + more;
}

function parseValue(name: string, text: string, { type }: Column): string {
  const wrong = (what: string, remedy: string) =>
    badParameter(`${named(name)}: ${shown(text)} is ${what}`, remedy);
  if (type === 'number') {
    const number = parsePlainDecimal(text);
    if (number === null) throw wrong('not a number', 'write it in plain digits, such as 12 or -0.5');
    return formatDecimal(number);
  }
  if (type === 'boolean') {
    if (text !== 'true' && text !== 'false') throw wrong('neither true nor false', 'write true or false');
    return text;
  }
  if (type === 'time') {
    const instant = parseInstant(text);
    if (instant === null) throw wrong('not a time', TIME_REMEDY);
    return String(instant);
  }
  return text;
}

export const TIME_REMEDY = 'write it as 2026-11-24T09:30:00Z, or in milliseconds since 1970';

/** Throws `BAD_PARAMETER` with the closest name where there is no such column. */
export function knownColumn(parameter: string, name: string, dataset: WindowedDataset): void {
  const names = dataset.columns.map((column) => column.name);
  if (names.includes(name)) return;
  const close = closest(name, names);
  throw badParameter(
    `${parameter}: there is no column ${named(name)} in ${dataset.name}`,
    close === undefined ? `its columns are ${listed(names)}` : `did you mean ${named(close)}?`,
  );
}
