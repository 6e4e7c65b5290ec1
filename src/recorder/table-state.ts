import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { DynamoCsvError } from '../base/errors.js';
import { sameColumns } from '../csv/columns.js';
import type { Column } from '../csv/rows.js';
import type { Files } from '../volume/files.js';
import { nameOfStateFile, ownFolder, stateFile } from '../volume/layout.js';
import { SnapshotFile } from '../volume/write.js';
import { stateUnreadable } from './errors.js';

const ColumnOfState = Type.Object({
  name: Type.String(),
  type: Type.Enum(['string', 'number', 'boolean', 'time']),
  seen: Type.Boolean(),
  declared: Type.Optional(Type.Literal(true)),
});
const NamesByName = Type.Record(Type.String(), Type.String());
const Names = Type.Object({
  timestamp: Type.String({ minLength: 1 }),
  change: Type.String({ minLength: 1 }),
  since: Type.String({ minLength: 1 }),
  changedAt: Type.Optional(Type.String({ minLength: 1 })),
  previous: Type.Optional(NamesByName),
  attributes: Type.Optional(NamesByName),
});
/** Milliseconds since the epoch, within the range of a JavaScript date. */
const Time = Type.Union([Type.Integer({ minimum: 0, maximum: 8.64e15 }), Type.Null()]);
const Mark = Type.Object({ size: Type.Integer({ minimum: 0 }), hash: Type.String() });
const Marks = Type.Array(Type.Union([Mark, Type.Null()]));
const Commit = Type.Object({
  position: Type.Union([Type.String(), Type.Null()]),
  items: Marks,
  /** The poll that the newest of `items` is of; absent: the last one. Newer changes are applied to it at the next start. */
  itemsAt: Type.Optional(Time),
  deleted: Marks,
});
const Appends = Type.Object({
  /** The column by whose times the log of new items is kept. */
  column: Type.String(),
  /** The first poll that is in it; null: none yet. */
  since: Time,
  /** Whether it was given up: it lacks the items that came since. */
  ended: Type.Optional(Type.Literal(true)),
});
/** Version 0.1.0 wrote the same without `commit`; the first versions without `keysSince` too. */
const State = Type.Object({
  format: Type.Literal(1),
  /** All of the table's own columns ever seen, with their types. */
  columns: Type.Array(ColumnOfState),
  keys: Type.Array(Type.String()),
  /** Null for a table without log and changes. */
  names: Type.Union([Names, Type.Null()]),
  /** The last committed poll; null: none. */
  readAt: Time,
  /** The items' file holds this poll or a later one; newer changes are applied to it at the next start. */
  snapshotAt: Time,
  /** The poll that the next one is compared with; earlier than `readAt` if a log was kept without changes. */
  comparedAt: Time,
  /** The first poll with these keys, if there were other keys before: older polls are not comparable. Null: there were not. */
  keysSince: Type.Optional(Time),
  /** Null or absent: the log, if there is one, is of polls. */
  appends: Type.Optional(Type.Union([Appends, Type.Null()])),
  /** Whether changes are kept. */
  changes: Type.Boolean(),
  /** The source's title. */
  source: Type.String(),
  /** Every name that this source's datasets ever had here; files with these names belong to it. */
  datasets: Type.Array(Type.String({ minLength: 1 })),
  /** What belongs to the poll at `readAt`; null in a state of version 0.1.0. */
  commit: Type.Optional(Type.Union([Commit, Type.Null()])),
});

/** What one of our files holds, so that changes from outside are detected. Null: there is no such file. */
export type FileMark = Static<typeof Mark> | null;

/**
 * What the service keeps about a table in `.dynamo-csv/<name>.json`, replaced atomically. Writing it commits a poll: rows
 * of log and changes later than `readAt` belong to an interrupted poll and do not count.
 */
export interface TableState
  extends Readonly<Omit<Required<Static<typeof State>>, 'columns' | 'keys' | 'datasets'>> {
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  readonly datasets: readonly string[];
}

/** The state file of the source with that published name. */
export function stateFileOf(dataDir: string, name: string, files: Files): TableStateFile {
  return new TableStateFile(stateFile(dataDir, name), files);
}

/** The published names with a state on the volume. */
export async function namesWithState(dataDir: string, files: Files): Promise<readonly string[]> {
  const found = await files.list(ownFolder(dataDir));
  return found.flatMap((file) => nameOfStateFile(file) ?? []).sort();
}

/**
 * The published name of another source that owns the data named `dataset`; null if it has no owner, or belongs to
 * `name`. `state` is the state of `name`.
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
    const found = await stateFileOf(dataDir, other, files).readIfOurs();
    if (found?.datasets.includes(dataset)) return other;
  }
  return null;
}

/** The state file of one table. */
export class TableStateFile {
  readonly path: string;
  readonly #file: SnapshotFile;

  constructor(path: string, files: Files) {
    this.path = path;
    this.#file = new SnapshotFile(path, files);
  }

  /**
   * Null if there is none yet. Rejects with `STATE_UNREADABLE` if it is not a state file, and with `VOLUME_READ_FAILED` if
   * it cannot be read.
   */
  async read(): Promise<TableState | null> {
    const bytes = await this.#file.read();
    return bytes === null ? null : parseState(bytes, this.path);
  }

  /** Like `read`, but null for a file that is not a state file: its own table reports it. */
  async readIfOurs(): Promise<TableState | null> {
    try {
      return await this.read();
    } catch (error) {
      if (error instanceof DynamoCsvError && ['STATE_UNREADABLE', 'VOLUME_READ_FAILED'].includes(error.code))
        return null;
      throw error;
    }
  }

  /** Replaces the state; it survives a power loss once this resolves. Rejects with `VOLUME_…`. */
  async write(state: TableState): Promise<void> {
    await this.#file.replace(Buffer.from(`${JSON.stringify(state, null, 1)}\n`));
  }
}

function parseState(bytes: Buffer, path: string): TableState {
  let found: unknown;
  try {
    found = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw stateUnreadable(path, cause);
  }
  if (!Value.Check(State, found) || !isConsistent(found)) throw stateUnreadable(path);
  return {
    ...found,
    keysSince: found.keysSince ?? null,
    appends: found.appends ?? null,
    commit: found.commit ?? null,
  };
}

/** Whether the columns in a state are consistent. */
function isConsistent({ columns, keys, names }: Static<typeof State>): boolean {
  const own = new Set(columns.map(({ name }) => name));
  const { timestamp, change, since, changedAt = [] } = names ?? { timestamp: [], change: [], since: [] };
  const added = [timestamp, change, since, changedAt].flat();
  return (
    own.size === columns.length && new Set(added).size === added.length && keys.every((key) => own.has(key))
  );
}

/** How a table's rows are laid out in its files. */
export type Layout = Pick<TableState, 'columns' | 'keys' | 'names'>;

/** Whether rows of both layouts look the same in log and changes. */
function isSameLayout(a: Layout, b: Layout): boolean {
  const hasSameKeys = a.keys.join() === b.keys.join();
  const hasSameNames = JSON.stringify(a.names) === JSON.stringify(b.names);
  return hasSameKeys && hasSameNames && sameColumns(a.columns, b.columns);
}

const NO_LAYOUT: Layout = { columns: [], keys: [], names: null };

/**
 * The state of one table, in memory and on the volume. `current` is ahead of the file: a new layout is written before
 * the rows that need it, everything else together with its poll.
 */
export class StateKeeper {
  readonly #file: TableStateFile;
  #current: TableState;
  /** The layout that the file describes. */
  #described: Layout;
  /** Whether a write failed after which the file may hold the new state or the old one. */
  #isDoubtful = false;

  /** `found`: the state in the file; null if there is none that could be read. */
  constructor(file: TableStateFile, current: TableState, found: TableState | null) {
    this.#file = file;
    this.#current = current;
    const isDescribed =
      found?.commit != null &&
      found.datasets.length === current.datasets.length &&
      found.appends?.column === current.appends?.column;
    this.#described = isDescribed ? found : NO_LAYOUT;
  }

  get current(): TableState {
    return this.#current;
  }

  update(change: Partial<TableState>): void {
    this.#current = { ...this.#current, ...change };
  }

  /** Makes sure that the file describes the current layout, also after a write of unknown outcome. */
  async describe(): Promise<void> {
    if (!this.#isDoubtful && isSameLayout(this.#described, this.#current)) return;
    await this.write();
  }

  /** Writes the current state. */
  async write(): Promise<void> {
    const state = this.#current;
    this.#isDoubtful = true;
    await this.#file.write(state);
    this.#isDoubtful = false;
    this.#described = state;
  }

  /**
   * Commits a poll by writing `change`. If this rejects, the file may or may not hold it; `settle` then makes sure that it
   * does not.
   */
  async commit(change: Partial<TableState>): Promise<void> {
    const before = this.#current;
    this.update(change);
    try {
      await this.write();
    } catch (error) {
      this.#current = before;
      throw error;
    }
  }

  /** Resolves once the file does not hold a commit that failed. */
  async settle(): Promise<void> {
    if (this.#isDoubtful) await this.write();
  }
}
