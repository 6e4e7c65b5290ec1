import type { Column } from '../csv/rows.js';
import { attributeOfPath, columnOfPath, meaningsOf, parsePath } from '../sources/dynamodb/paths.js';
import { OPERATORS } from '../windows/window.js';
import type { DumpOptions } from './options.js';

/** DynamoDB accepts expressions of up to 4 KB; beyond about a hundred names the saving is small anyway. */
const MOST_REQUESTED = 100;
const WHERE = 'where.';

/**
 * The names in `--columns` and `--where`, as they are written: those of attributes, or paths into maps and lists, as in the
 * configuration file. Of a filter its name without an operator and its whole name, which may be an attribute's.
 */
export function namesOf({ columns, where }: Pick<DumpOptions, 'columns' | 'where'>): readonly string[] {
  const filters = where.flatMap(([name]) => meantBy(name).map(({ text }) => text));
  return [...new Set([...(columns ?? []), ...filters])].sort();
}

/** Those of the names that lead into maps and lists. */
export function pathsOf({ columns, where }: Pick<DumpOptions, 'columns' | 'where'>): readonly string[] {
  const filters = where.flatMap(([name]) => meantBy(name).slice(-1));
  const names = [...(columns ?? []), ...filters.map(({ text }) => text)];
  return [...new Set(names.filter((name) => (parsePath(name)?.length ?? 0) > 1))].sort();
}

/** The attributes to request: of the chosen columns, and of those that are filtered by; null: all. */
export function attributesOf(options: Pick<DumpOptions, 'columns' | 'where'>): readonly string[] | null {
  if (options.columns === null) return null;
  const attributes = [...new Set(namesOf(options).flatMap(meaningsOf).map(attributeOfPath))].sort();
  return attributes.length <= MOST_REQUESTED ? attributes : null;
}

/** The column that a name means: a path's, or that of the attribute of exactly that name. */
export function columnNamed(written: string, columns: readonly Column[]): Column | undefined {
  const names = meaningsOf(written).map(columnOfPath);
  return columns.find(({ name }) => names.includes(name));
}

/** Names in `--columns` and `--where` that none of these columns has, as they are written. */
export function unseenNames(
  { columns, where }: Pick<DumpOptions, 'columns' | 'where'>,
  known: readonly Column[],
): readonly string[] {
  const isSeen = (name: string) => columnNamed(name, known) !== undefined;
  const filters = where.map(([name]) => meantBy(name).map(({ text }) => text));
  return [
    ...new Set([
      ...(columns ?? []).filter((name) => !isSeen(name)),
      ...filters.filter((names) => !names.some(isSeen)).map((names) => names.at(-1)!),
    ]),
  ];
}

/** A filter's name as windows have it, with the column's name in place of the path that is written. */
export function filterName(name: string, columns: readonly Column[]): string {
  for (const { text, operator } of meantBy(name)) {
    const column = columnNamed(text, columns);
    if (column !== undefined) return column.name === text ? name : `${WHERE}${column.name}${operator}`;
  }
  return name;
}

/** What a filter's name may mean: a column of exactly that name, or one with an operator. */
function meantBy(name: string): readonly { readonly text: string; readonly operator: string }[] {
  const bare = name.startsWith(WHERE) ? name.slice(WHERE.length) : name;
  const known = OPERATORS.find((one) => bare.endsWith(`__${one}`));
  const whole = { text: bare, operator: '' };
  if (known === undefined) return [whole];
  const operator = `__${known}`;
  return [whole, { text: bare.slice(0, -operator.length), operator }];
}
