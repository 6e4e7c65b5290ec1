import { closest } from '../../base/closest.js';
import type { ItemTime } from '../../csv/item-time.js';
import type { ColumnOptions } from './layout.js';
import { parsePath, publishedColumn, renamedPaths } from './paths.js';

/** A name in `columns`, `only`, `time` or `types` that no item has. */
export interface UnseenName {
  readonly name: string;
  readonly option: 'columns' | 'only' | 'time' | 'types';
  /** The attribute that was probably meant, or null. */
  readonly meant: string | null;
}

/**
 * The names in `columns`, `only`, `time` and `types` that match no attribute. `columns`: published names with values seen, keys included;
 * `attributes`: names of attributes and paths that items have, for guesses.
 */
export function unseenNames(
  options: ColumnOptions & {
    readonly time?: ItemTime | null;
    readonly types?: Readonly<Record<string, unknown>>;
  },
  columns: Iterable<string>,
  attributes: readonly string[],
): readonly UnseenName[] {
  const columnsByPath = renamedPaths(options.rename);
  const published = (name: string) => publishedColumn(name, columnsByPath);
  const seen = new Set([...columns, ...attributes.map(published)]);
  const renamed = Object.keys(options.rename).filter((attribute) => seen.has(published(attribute)));
  const names = [...attributes, ...renamed, ...seen];
  const unseen = (option: UnseenName['option'], wanted: readonly string[]) =>
    wanted
      .filter((name) => !seen.has(published(name)))
      .map((name) => ({ name, option, meant: closest(name, names) ?? null }));
  const first = [
    ...unseen('time', options.time == null ? [] : [options.time.column]),
    ...unseen('columns', options.columns),
  ];
  const known = new Set(first.map(({ name }) => name));
  const others = [
    ...unseen('only', options.only ?? []),
    ...unseen('types', Object.keys(options.types ?? {})),
  ];
  return [...first, ...others.filter(({ name }) => !known.has(name))];
}

/** `columns: no item has an attribute "adress"; did you mean address?` */
export function describeUnseen({ name, option, meant }: UnseenName): string {
  const remedy = meant === null ? 'check its spelling' : `did you mean ${meant}?`;
  const what = isPath(name) ? 'a value at the path' : 'an attribute';
  return `${option}: no item has ${what} ${JSON.stringify(name)}; ${remedy}`;
}

/** Whether a name in the configuration leads into a map or a list. */
export function isPath(name: string): boolean {
  return (parsePath(name)?.length ?? 0) > 1;
}
