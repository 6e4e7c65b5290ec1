import { DynamoCsvError } from '../base/errors.js';
import type { Column } from '../csv/rows.js';
import type { Files } from '../volume/files.js';
import { nameOfStateFile, ownFolder, stateFile } from '../volume/layout.js';
import { SnapshotFile } from '../volume/snapshot-file.js';
import type { AddedNames } from './column-names.js';
import { stateUnreadable } from './errors.js';

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
  /** The poll with whose items the next one is compared; older than `readAt` where a log was kept without changes. */
  readonly comparedAt: number | null;
  /** The first poll with these keys, where there were others before: what is older is not comparable. Null: none were. */
  readonly keysSince: number | null;
  /** Whether changes are kept. */
  readonly changes: boolean;
  /** The source's title. */
  readonly source: string;
  /** Every name that this source's datasets ever had here: their files are its own. */
  readonly datasets: readonly string[];
}

/** Where the state of the source with that published name stands. */
export function stateFileOf(dataDir: string, name: string, files: Files): TableStateFile {
  return new TableStateFile(stateFile(dataDir, name), files);
}

/** The published names of which there is a state on the volume. */
export async function namesWithState(dataDir: string, files: Files): Promise<readonly string[]> {
  const found = await files.list(ownFolder(dataDir));
  return found.flatMap((file) => nameOfStateFile(file) ?? []).sort();
}

/**
 * The published name of another source whose data stands under `dataset`; null: nobody's, or `name`'s own. `state` is what
 * the volume knows of `name`.
 */
export async function claimantOf(
  dataset: string,
  name: string,
  state: TableState | null,
  dataDir: string,
  files: Files,
): Promise<string | null> {
  if (state?.datasets.includes(dataset)) return null;
  for (const other of await namesWithState(dataDir, files)) {
    if (other === name) continue;
    const found = await stateFileOf(dataDir, other, files).read().catch(ignoreUnreadable);
    if (found?.datasets.includes(dataset)) return other;
  }
  return null;
}

/** What stands in an unreadable state is not known; its own table says so. */
function ignoreUnreadable(error: unknown): null {
  if (error instanceof DynamoCsvError && error.code === 'STATE_UNREADABLE') return null;
  throw error;
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
      if (state.format === 1 && Array.isArray(state.columns) && Array.isArray(state.datasets)) return state;
    } catch (cause) {
      throw stateUnreadable(this.#path, cause);
    }
    throw stateUnreadable(this.#path);
  }

  async write(state: TableState): Promise<void> {
    await this.#file.replace(Buffer.from(`${JSON.stringify(state, null, 1)}\n`));
  }
}
