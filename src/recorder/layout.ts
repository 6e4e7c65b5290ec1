import { mergeColumns } from '../csv/columns.js';
import type { Column } from '../csv/rows.js';
import type { Reading } from '../sources/source.js';
import { withTimeColumn } from './item-times.js';
import type { Place, RecorderOptions } from './recorder-options.js';
import type { Layout, TableState } from './table-state.js';

/** What a reading does to the table's layout. */
export interface Widened {
  readonly layout: Layout;
  /** The columns and the mixed columns of the reading, under their published names. */
  readonly found: readonly Column[];
  readonly mixed: readonly string[];
}

/**
 * The table's layout, which has every column ever seen, after a reading with these columns: a new one when the keys changed,
 * a column was added, or a type changed. `ColumnTypes` decides on types.
 */
export function widened(
  read: readonly Column[],
  { kind, keys, mixed = [] }: Pick<Reading, 'kind' | 'keys' | 'mixed'>,
  before: Layout & Pick<TableState, 'datasets'>,
  options: RecorderOptions,
): Widened {
  const { name, configured, log, changes, time } = options;
  // While changes are off, the columns that were recorded before keep their meaning.
  const hasChanges = before.datasets.includes(`${name}-changes`);
  const changing = (columns: readonly Column[], keys: readonly string[]) =>
    hasChanges ? columns.filter((column) => !keys.includes(column.name)) : [];
  let names = before.names ?? (log || changes ? chooseNames([...before.columns, ...read], options) : null);
  let found = read;
  if (names !== null) {
    if (changes && options.exactTimes === true) names = withChangedAt(names, [...before.columns, ...read]);
    const known = changing(before.columns, before.keys);
    const earlier = withPreviousNames(names, before.columns, known);
    names = publishedNames(read, before.columns, earlier, known);
    warnAboutRenamedAttributes(earlier, names, options);
    found = withPublishedNames(read, names);
  }
  const typed = withTimeColumn(found, time);
  const recorded = withTimeColumn(before.columns, time);
  // A full reading knows the types of all values, a delta only those of some.
  const known = kind === 'full' ? withTypesOf(typed, recorded) : yielding(recorded, typed);
  const columns = mergeColumns(known, [...typed, ...expected(time)], { keys, configured });
  if (names !== null) names = withPreviousNames(names, columns, changing(columns, keys));
  return {
    layout: { columns, keys, names },
    found,
    mixed: mixed.map((name) => names?.attributes?.[name] ?? name),
  };
}

/** The columns, with the types of those that are seen in `found`. */
function withTypesOf(found: readonly Column[], columns: readonly Column[]): readonly Column[] {
  const seen = new Map(found.filter((column) => column.seen).map((column) => [column.name, column]));
  return columns.map((column) => seen.get(column.name) ?? column);
}

/** The column of the items' time exists before an item has one. */
function expected(time: RecorderOptions['time']): readonly Column[] {
  return time == null ? [] : [{ name: time.column, type: 'time', seen: false }];
}

/** A column that was configured to be the items' time, and is not any more, has the type of its values again. */
function yielding(known: readonly Column[], found: readonly Column[]): readonly Column[] {
  const types = new Map(found.map((column) => [column.name, column]));
  return known.map((column) => {
    const now = types.get(column.name);
    return column.type === 'time' && now?.seen === true ? now : column;
  });
}

/** The names of the columns that are added to the table's own, chosen at its first poll. */
function chooseNames(columns: Layout['columns'], options: RecorderOptions): AddedNames {
  const { timestampColumn, logger, name, changes } = options;
  const names = chooseAddedNames(columns, timestampColumn);
  const wanted = [
    {
      wish: timestampColumn ?? TIMESTAMP,
      column: names.timestamp,
      what: "the poll's time",
      remedy: '; set timestampColumn to choose its name',
    },
    ...(changes
      ? [
          { wish: CHANGE, column: names.change, what: 'what happened to an item', remedy: '' },
          { wish: SINCE, column: names.since, what: 'the time of the poll before a change', remedy: '' },
        ]
      : []),
  ];
  for (const { wish, column, what, remedy } of wanted) {
    if (column === wish) continue;
    logger.warn(
      { dataset: name, column },
      `the table has an attribute "${wish}" itself, so ${what} is in column "${column}"${remedy}`,
    );
  }
  return names;
}

function warnAboutRenamedAttributes(
  before: AddedNames,
  after: AddedNames,
  { name, logger }: RecorderOptions,
): void {
  for (const [attribute, column] of Object.entries(after.attributes ?? {})) {
    if (Object.hasOwn(before.attributes ?? {}, attribute)) continue;
    logger.warn(
      { dataset: name, attribute, column },
      `the service already records a column "${attribute}", so the attribute "${attribute}" is in column "${column}"`,
    );
  }
}

/**
 * The columns of a dataset of that kind; null for a log or changes until a first poll chose the names of the added columns.
 */
export function columnsOf(kind: Place['kind'], { columns, keys, names }: Layout): readonly Column[] | null {
  if (kind === 'snapshot') return columns;
  if (names === null) return null;
  return kind === 'log' ? logColumns(columns, names) : changesColumns(columns, keys.length, names);
}

/** The names of the columns that are added to the table's own. */
export function addedNames({ names }: Pick<Layout, 'names'>): AddedNames {
  if (names === null) throw new TypeError('no poll was recorded yet');
  return names;
}

/** Whether the key schema changed; a first poll changes nothing. */
export function hasOtherKeys(before: Layout, after: Layout): boolean {
  return before.keys.length > 0 && before.keys.join() !== after.keys.join();
}

/** The column that holds a poll's time in logs and changes, unless the table's own attributes force another. */
export const TIMESTAMP = 'timestamp';
export const CHANGE = 'change';
export const SINCE = 'since';
const CHANGED_AT = 'changed_at';
const PREVIOUS = 'previous_';

/**
 * The names of the columns that we add to a table's own. Chosen when they are first needed and kept permanently, so that a
 * recorded column never changes its meaning.
 */
export interface AddedNames {
  readonly timestamp: string;
  readonly change: string;
  readonly since: string;
  /** Of the column with the source's own times of changes; absent: no reading had any. */
  readonly changedAt?: string;
  /** Names of the columns for values before a change, by column, if not `previous_<column>`. */
  readonly previous?: NamesByName;
  /** Published names of attributes whose own name is one of ours, by attribute. */
  readonly attributes?: NamesByName;
}

type NamesByName = Readonly<Record<string, string>>;

/**
 * Chooses the added columns' names so that none collides with a column of the table or with another one: `timestamp`, or
 * `poll_timestamp` if the table has an attribute `timestamp`. `configured` (option `timestampColumn`) overrides `timestamp`.
 */
export function chooseAddedNames(columns: readonly Column[], configured: string | null): AddedNames {
  const taken = new Set(columns.map((column) => column.name));
  const [timestamp, change, since] = [configured ?? TIMESTAMP, CHANGE, SINCE].map((name) => {
    const chosen = freeName(name, taken);
    taken.add(chosen);
    return chosen;
  }) as [string, string, string];
  return { timestamp, change, since };
}

function freeName(name: string, taken: ReadonlySet<string>, prefix = 'poll_'): string {
  return taken.has(name) ? freeName(`${prefix}${name}`, taken, prefix) : name;
}

/** Adds the column for the source's own times of changes. */
function withChangedAt(names: AddedNames, columns: readonly Column[]): AddedNames {
  if (names.changedAt !== undefined) return names;
  const taken = new Set([...ownNames(names), ...columns.map(({ name }) => name)]);
  return { ...names, changedAt: freeName(CHANGED_AT, taken, 'stream_') };
}

/** The names of the added columns, without those for values before a change. */
function ownNames({ timestamp, change, since, changedAt }: AddedNames): string[] {
  return [timestamp, change, since, ...(changedAt === undefined ? [] : [changedAt])];
}

/**
 * An attribute that appears later under a name we already use is published with the suffix `_attribute`. Returns the names
 * with those attributes added; existing entries stay.
 * @param found the attributes of a poll
 * @param known the table's columns so far
 * @param changing those of them that have a column for the value before, too
 */
function publishedNames(
  found: readonly Column[],
  known: readonly Column[],
  names: AddedNames,
  changing: readonly Column[],
): AddedNames {
  const published = new Map(Object.entries(names.attributes ?? {}));
  const ours = new Set([...ownNames(names), ...published.values()]);
  for (const { name } of changing) ours.add(previousName(name, names));
  const inTheWay = found.filter(({ name }) => ours.has(name) && !published.has(name));
  if (inTheWay.length === 0) return names;
  // A column that was configured and never seen waits for its attribute.
  const seen = known.filter((column) => column.seen);
  const taken = new Set([...ours, ...[...found, ...seen].map(({ name }) => name)]);
  for (const { name } of inTheWay) {
    let free = `${name}_attribute`;
    while (taken.has(free)) free += '_attribute';
    taken.add(free);
    published.set(name, free);
  }
  return { ...names, attributes: Object.fromEntries(published) };
}

/** A poll's columns under their published names; the same object if no name differs. */
function withPublishedNames(columns: readonly Column[], { attributes = {} }: AddedNames): readonly Column[] {
  if (!columns.some(({ name }) => Object.hasOwn(attributes, name))) return columns;
  return columns.map((column) =>
    Object.hasOwn(attributes, column.name) ? { ...column, name: attributes[column.name]! } : column,
  );
}

/** Names for the values of `changing` before a change, among all `columns` of a table: those of `names` unchanged. */
function withPreviousNames(
  names: AddedNames,
  columns: readonly Column[],
  changing: readonly Column[],
): AddedNames {
  const taken = new Set([...ownNames(names), ...columns.map(({ name }) => name)]);
  const previous = new Map(Object.entries(names.previous ?? {}));
  const isNew = ({ name }: Column) => taken.has(`${PREVIOUS}${name}`) && !previous.has(name);
  const chosen = changing.filter(isNew);
  if (chosen.length === 0) return names;
  for (const { name } of changing) taken.add(previousName(name, names));
  for (const { name } of chosen) {
    const free = freeName(`${PREVIOUS}${name}`, taken);
    taken.add(free);
    previous.set(name, free);
  }
  return { ...names, previous: Object.fromEntries(previous) };
}

function previousName(name: string, { previous = {} }: AddedNames): string {
  return Object.hasOwn(previous, name) ? previous[name]! : `${PREVIOUS}${name}`;
}

/** Columns of a log: the table's, then the poll's time. */
export function logColumns(columns: readonly Column[], names: AddedNames): Column[] {
  return [...columns, timeColumn(names.timestamp)];
}

/** Columns of changes: what happened, the key, the values after, the values before, the source's time if it has one, and the two polls' times. */
export function changesColumns(columns: readonly Column[], keyCount: number, names: AddedNames): Column[] {
  return [
    { name: names.change, type: 'string', seen: true },
    ...columns,
    ...columns.slice(keyCount).map((column) => ({ ...column, name: previousName(column.name, names) })),
    ...(names.changedAt === undefined ? [] : [timeColumn(names.changedAt)]),
    timeColumn(names.since),
    timeColumn(names.timestamp),
  ];
}

/** A column of ours that holds times. */
export function timeColumn(name: string): Column {
  return { name, type: 'time', seen: true };
}
