import type { Facts } from './facts.js';
import { columnList, everyInterval, pickedTime, type Reading, type Window } from './reading.js';

/** The questions that the panels of a generated dashboard ask, in the language of windows. */

/** Names of our own columns in an answer, none of which is the name of another column in it. */
export function freeName(name: string, taken: readonly (string | null)[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}

/** The name under which a key's values are chosen: Grafana's names of variables are letters, digits and `_`. */
export function variableName(key: string, keys: readonly string[]): string {
  const plain = (name: string) => name.replaceAll(/\W/g, '_').replace(/^__/, 'key__');
  const index = keys.indexOf(key);
  const isTaken = keys.slice(0, index).some((other) => plain(other) === plain(key));
  return isTaken ? `${plain(key)}_${index + 1}` : plain(key);
}

/** The filters by the chosen values of the keys that have a variable. `where.` makes a column of every name. */
export function chosenKeys({ values }: Pick<Facts, 'values'>): Window {
  const keys = [...values.keys()];
  return Object.fromEntries(
    keys.map((key) => [`where.${key}__in`, `\${${variableName(key, keys)}:csv}`] as const),
  );
}

/** The filter that leaves out rows without a value in the column. */
export const known = (column: string): Window => ({ [`where.${column}__isnull`]: 'false' });

export const overPickedTime: Window = { ...pickedTime, ...everyInterval };

/** Aggregates by name, each of a column: `value=avg:price`. */
export function aggregates(...list: readonly (readonly [name: string, of: string])[]): string {
  return columnList(list.map(([name, of]) => `${name}=${of}`));
}

/** A reading of these columns of the dataset, with the types that the catalogue gives them. */
export function plain(facts: Facts, names: readonly string[], window: Window): Reading {
  const columns = names.map((name) => facts.columns.find((column) => column.name === name)!);
  return { dataset: facts.dataset, columns, ...timed(facts.timeColumn), window };
}

/** Present where there is a time. */
export const timed = (time: string | null) => (time === null ? {} : { time });
