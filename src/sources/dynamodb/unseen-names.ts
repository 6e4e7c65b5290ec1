import { closest } from '../../base/closest.js';
import type { ColumnOptions } from './layout.js';

/** A name in `columns` or `only` that no item has. */
export interface UnseenName {
  readonly name: string;
  readonly option: 'columns' | 'only';
  /** The attribute that was probably meant, or null. */
  readonly meant: string | null;
}

/**
 * The names in `columns` and `only` that match no attribute. `columns`: published names with values seen, keys included;
 * `attributes`: names of attributes that items have, for guesses.
 */
export function unseenNames(
  options: ColumnOptions,
  columns: Iterable<string>,
  attributes: readonly string[],
): readonly UnseenName[] {
  const published = (name: string) =>
    Object.hasOwn(options.rename, name) ? (options.rename[name] ?? name) : name;
  const seen = new Set([...columns, ...attributes.map(published)]);
  const renamed = Object.keys(options.rename).filter((attribute) => seen.has(published(attribute)));
  const names = [...attributes, ...renamed, ...seen];
  const unseen = (option: UnseenName['option'], wanted: readonly string[]) =>
    wanted
      .filter((name) => !seen.has(published(name)))
      .map((name) => ({ name, option, meant: meant(name, names) }));
  const first = unseen('columns', options.columns);
  const known = new Set(first.map(({ name }) => name));
  return [...first, ...unseen('only', options.only ?? []).filter(({ name }) => !known.has(name))];
}

/** A path into a map (`address.city`, `tags[0]`) means its attribute: columns are whole attributes. */
function meant(name: string, names: readonly string[]): string | null {
  const attribute = /^([^.[]+)[.[]/.exec(name)?.[1];
  if (attribute !== undefined && names.includes(attribute)) return attribute;
  return closest(name, names) ?? null;
}

/** `columns: no item has an attribute "adress"; did you mean address?` */
export function describeUnseen({ name, option, meant }: UnseenName): string {
  const remedy = meant === null ? 'check its spelling' : `did you mean ${meant}?`;
  return `${option}: no item has an attribute ${JSON.stringify(name)}; ${remedy}`;
}
