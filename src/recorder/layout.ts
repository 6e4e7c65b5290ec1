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

/** What tells how a table's rows are laid out in its files. */
export type Layout = Pick<TableState, 'columns' | 'keys' | 'names'>;

/**
 * Brings what a source was found to have into the layout of its table: every column ever seen, at its place. Gives the
 * rows so, and the layout, which is another one where there are other keys, new columns, or a type that widened.
 */
export async function layOut(
  { rows, keys }: Pick<Reading, 'rows' | 'keys'>,
  before: Layout & Pick<TableState, 'datasets'>,
  options: RecorderOptions,
): Promise<{ readonly layout: Layout; readonly rows: EncodedRows }> {
  const { name, configured, log, changes } = options;
  // Recorded once, changes keep their columns' meaning while they are not kept.
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
      `the table has an attribute "${wish}" itself: ${what} is in column "${column}"${remedy}`,
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
      `the recorded data has a column "${attribute}" of this service: the attribute "${attribute}" is in column "${column}"`,
    );
  }
}

/**
 * The columns of a dataset of that kind; null for a log or for changes while no poll has chosen the names of the columns
 * that are added.
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

/** Whether rows of both stand the same way in log and changes. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const hasSameKeys = a.keys.join() === b.keys.join();
  const hasSameNames = JSON.stringify(a.names) === JSON.stringify(b.names);
  return hasSameKeys && hasSameNames && sameColumns(a.columns, b.columns);
}

/** Whether the keys are others; a table that had none yet has no others. */
export function hasOtherKeys(before: Layout, after: Layout): boolean {
  return before.keys.length > 0 && before.keys.join() !== after.keys.join();
}
