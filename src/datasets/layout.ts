import { mergeColumns, sameColumns } from '../csv/columns.js';
import { relayoutInTurns } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Reading } from '../csv/source.js';
import {
  type AddedNames,
  avoidAddedNames,
  changesColumns,
  chooseAddedNames,
  logColumns,
  TIMESTAMP,
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
  { rows, keys }: Reading,
  before: Layout,
  options: RecorderOptions,
): Promise<{ readonly layout: Layout; readonly rows: EncodedRows }> {
  const { configured, log, changes } = options;
  const names =
    before.names ?? (log || changes ? chooseNames([...before.columns, ...rows.columns], options) : null);
  const found = names === null ? rows : avoidAddedNames(rows, names);
  const columns = mergeColumns(before.columns, found.columns, { keys, configured });
  return {
    layout: { columns, keys, names },
    rows: { ...(await relayoutInTurns(found, columns)), columns },
  };
}

/** The names of the columns that are added to the table's own, chosen at its first poll. */
function chooseNames(columns: Layout['columns'], options: RecorderOptions): AddedNames {
  const { timestampColumn, logger, name } = options;
  const names = chooseAddedNames(columns, timestampColumn);
  if (timestampColumn === null && names.timestamp !== TIMESTAMP) {
    logger.warn(
      { dataset: name, column: names.timestamp },
      `the table has an attribute "${TIMESTAMP}" itself: the poll's time is in column "${names.timestamp}"; set timestampColumn to choose its name`,
    );
  }
  return names;
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

/** Whether rows of both stand the same way in log and changes. */
export function isSameLayout(a: Layout, b: Layout): boolean {
  const hasSameKeys = a.keys.join() === b.keys.join();
  return hasSameKeys && a.names?.timestamp === b.names?.timestamp && sameColumns(a.columns, b.columns);
}

/** Whether the keys are others; a table that had none yet has no others. */
export function hasOtherKeys(before: Layout, after: Layout): boolean {
  return before.keys.length > 0 && before.keys.join() !== after.keys.join();
}
