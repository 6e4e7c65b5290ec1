import { mergeColumns, sameColumns } from '../csv/columns.js';
import { relayoutInSlices } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Reading } from '../sources/source.js';
import {
  type AddedNames,
  CHANGE,
  changesColumns,
  chooseAddedNames,
  logColumns,
  publishedNames,
  SINCE,
  TIMESTAMP,
  withPreviousNames,
  withPublishedNames,
} from './column-names.js';
import type { Place, RecorderOptions } from './recorder-options.js';
import type { TableState } from './table-state.js';

/** How a table's rows are laid out in its files. */
export type Layout = Pick<TableState, 'columns' | 'keys' | 'names'>;

/**
 * Rearranges a reading's rows into the table's layout, which has every column ever seen. Returns the rows and the layout;
 * the layout is a new one when the keys changed, a column was added, or a type widened.
 */
export async function layOut(
  { rows, keys }: Pick<Reading, 'rows' | 'keys'>,
  before: Layout & Pick<TableState, 'datasets'>,
  options: RecorderOptions,
): Promise<{ readonly layout: Layout; readonly rows: EncodedRows }> {
  const { name, configured, log, changes } = options;
  // While changes are off, the columns that were recorded before keep their meaning.
  const hasChanges = before.datasets.includes(`${name}-changes`);
  const changing = (columns: readonly Column[], keys: readonly string[]) =>
    hasChanges ? columns.filter((column) => !keys.includes(column.name)) : [];
  let names =
    before.names ?? (log || changes ? chooseNames([...before.columns, ...rows.columns], options) : null);
  let found = rows;
  if (names !== null) {
    const known = changing(before.columns, before.keys);
    const earlier = withPreviousNames(names, before.columns, known);
    names = publishedNames(rows.columns, before.columns, earlier, known);
    warnAboutRenamedAttributes(earlier, names, options);
    found = withPublishedNames(rows, names);
  }
  const columns = mergeColumns(before.columns, found.columns, { keys, configured });
  if (names !== null) names = withPreviousNames(names, columns, changing(columns, keys));
  return { layout: { columns, keys, names }, rows: { ...(await relayoutInSlices(found, columns)), columns } };
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

/** Whether rows of both layouts look the same in log and changes. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const hasSameKeys = a.keys.join() === b.keys.join();
  const hasSameNames = JSON.stringify(a.names) === JSON.stringify(b.names);
  return hasSameKeys && hasSameNames && sameColumns(a.columns, b.columns);
}

/** Whether the key schema changed; a first poll changes nothing. */
export function hasOtherKeys(before: Layout, after: Layout): boolean {
  return before.keys.length > 0 && before.keys.join() !== after.keys.join();
}
