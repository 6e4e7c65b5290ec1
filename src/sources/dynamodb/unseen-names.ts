import { closest } from '../../base/closest.js';
import type { ItemTime } from '../../csv/item-time.js';
import type { ColumnOptions } from './layout.js';

/** A name in `columns`, `only` or `time` that no item has. */
export interface UnseenName {
  readonly name: string;
  readonly option: 'columns' | 'only' | 'time';
  /** The attribute that was probably meant, or null. */
  readonly meant: string | null;
}

/**
 * The names in `columns`, `only` and `time` that match no attribute. `columns`: published names with values seen, keys included;
 * `attributes`: names of attributes that items have, for guesses.
 */
export function unseenNames(
  options: ColumnOptions & { readonly time?: ItemTime | null },
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
  const first = [
    ...unseen('time', options.time == null ? [] : [options.time.column]),
    ...unseen('columns', options.columns),
  ];
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
