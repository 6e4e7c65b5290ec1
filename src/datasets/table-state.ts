import { stateUnreadable } from '../base/errors.js';
import type { Files } from '../csv/files.js';
import type { Column } from '../csv/rows.js';
import { SnapshotFile } from '../csv/snapshot-file.js';
import type { AddedNames } from './column-names.js';

/**
 * What we keep beside a table's data, in `.dynamo-csv/<name>.json`, replaced atomically at the end of every poll, and
 * before its rows are written when they bring a new column.
 */
export interface TableState {
  readonly format: 1;
  /** The table's own columns, all that were ever seen, with their types. */
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  /** Null for a table without log and changes. */
  readonly names: AddedNames | null;
  /** The last poll that is on the volume whole; null: none. */
  readonly readAt: number | null;
  /** The poll that the snapshot file holds; changes after it are redone at start. */
  readonly snapshotAt: number | null;
}

/** The state file of one table. */
export class TableStateFile {
  readonly #path: string;
  readonly #file: SnapshotFile;

  constructor(path: string, files: Files) {
    this.#path = path;
    this.#file = new SnapshotFile(path, files);
  }

  /** Null when there is none yet. Rejects with `STATE_UNREADABLE` when the file is not one of ours. */
  async read(): Promise<TableState | null> {
    const bytes = await this.#file.read();
    if (bytes === null) return null;
    try {
      const state = JSON.parse(bytes.toString('utf8')) as TableState;
      if (state.format === 1 && Array.isArray(state.columns)) return state;
    } catch (cause) {
      throw stateUnreadable(this.#path, cause);
    }
    throw stateUnreadable(this.#path);
  }

  async write(state: TableState): Promise<void> {
    await this.#file.replace(Buffer.from(`${JSON.stringify(state, null, 1)}\n`));
  }
}
