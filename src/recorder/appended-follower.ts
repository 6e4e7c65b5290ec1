import { createYielder } from '../base/event-loop.js';
import { SerialQueue } from '../base/serial-queue.js';
import { decodeRow, rowAt, splitRows } from '../csv/decode.js';
import { noRows } from '../csv/encode.js';
import { sliceRows } from '../csv/relayout.js';
import { lastTimeIn, timeOfRow } from '../csv/row-time.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { Offsets, rowEnd } from '../csv/scan.js';
import type { ColumnException } from '../datasets/dataset.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { SealedDay } from '../datasets/relation.js';
import { AppendFileReader } from '../volume/append-file-reader.js';
import type { Files } from '../volume/files.js';
import { csvFile } from '../volume/layout.js';
import { AppendedDataset } from './appended-dataset.js';
import { rowsAfter } from './appended-writer.js';
import { columnsOf, TIMESTAMP } from './layout.js';
import type { Place } from './recorder-options.js';
import { stateFileOf, type TableState, type TableStateFile } from './table-state.js';

/** A log or changes as its file has them, for whoever knows which of its days are sealed. */
export interface FollowedRows {
  readonly name: string;
  readonly pollColumn: string;
  readonly itemTime: string | null;
  /** Time of the oldest row, milliseconds since the epoch; 0 without rows. */
  readonly firstAt: number;
  rows(): Promise<EncodedRows>;
}

export interface FollowerOptions {
  readonly place: Place & { readonly kind: 'log' | 'changes' };
  /** The published name of the source. */
  readonly name: string;
  readonly dataDir: string;
  readonly files: Files;
  readonly health: PollHealth;
  /** For display; by default the path of the file, and that another process records it. */
  readonly source?: string;
  readonly description?: string;
  readonly exceptions?: () => readonly ColumnException[];
  /** The sealed days that belong to these rows; absent: there are none. */
  readonly daysFor?: (rows: FollowedRows) => Promise<readonly SealedDay[]>;
}

/**
 * A log or changes that another process records: read-only, without a lock, and in whole polls. The state file, which is
 * read before the rows, has the last committed poll: all rows up to it are in the file. Later rows are not shown yet:
 * they may be a partial append, or one that its writer takes back.
 */
export class AppendedFollower extends AppendedDataset {
  readonly #options: FollowerOptions;
  readonly #state: TableStateFile;
  readonly #reader: AppendFileReader;
  readonly #queue = new SerialQueue();
  /** Names of the columns in the file; null: it has not been read yet. */
  #header: readonly string[] | null = null;

  constructor(options: FollowerOptions) {
    const { place, name, dataDir, files, health } = options;
    const path = csvFile(dataDir, place.dataset);
    const { source = path, description = 'Recorded by another process.', exceptions = () => [] } = options;
    const facts = { source, description, health, exceptions };
    super({ ...facts, name: place.dataset, kind: place.kind, known: null, keys: [], pollColumn: TIMESTAMP });
    this.#options = options;
    this.#state = stateFileOf(dataDir, name, files);
    this.#reader = new AppendFileReader(path, files);
  }

  /** Picks up newly committed polls. Rejects with `VOLUME_READ_FAILED`. */
  async refresh(): Promise<void> {
    await this.follow(await this.#state.readIfOurs());
  }

  /** Picks up the polls up to the one that this state commits; it was read before this is called. */
  follow(state: TableState | null): Promise<void> {
    return this.#queue.run(async () => {
      const unread = await this.#reader.unread();
      if (state === null || unread === null) {
        this.#header = null;
        return this.replaced({ size: 0, rows: 0, firstAt: 0, lastAt: 0 });
      }
      this.#options.health.readAt = state.readAt;
      const committedAt = state.readAt ?? 0;
      if (unread.isNew || this.#header === null) await this.#begin(unread.bytes, state, committedAt);
      else await this.#continue(unread.bytes, state, committedAt);
    });
  }

  /** Looks again which days are sealed. */
  lookAtDays(): Promise<void> {
    return this.#queue.run(async () => {
      const rows = () => this.#rows();
      const { name, pollColumn, itemTime, firstAt } = this;
      if (this.#header !== null)
        this.sealedDays = await this.#daysFor({ name, pollColumn, itemTime, firstAt, rows });
    });
  }

  /** The rows of polls after an instant, in milliseconds since the epoch, as far as they were picked up. */
  rowsSince(instant: number): Promise<EncodedRows> {
    return this.#queue.run(async () => rowsAfter(await this.#rows(), instant));
  }

  close(): Promise<void> {
    return this.#queue.run(() => this.#reader.close());
  }

  protected override readFile<T>(work: (first: (size: number) => Promise<Buffer>) => Promise<T>): Promise<T> {
    return this.#queue.run(() => work(() => this.#reader.read()));
  }

  async #rows(): Promise<EncodedRows> {
    const bytes = await this.#reader.read();
    if (bytes.length === 0) return noRows(this.columns ?? []);
    const { body, ends } = await splitRows(bytes, this.#reader.path);
    return { columns: this.columns ?? [], body, ends };
  }

  /** Shows another file: its rows and the days that are sealed by then, in one step for every reader. */
  async #begin(bytes: Buffer, state: TableState, committedAt: number): Promise<void> {
    const { kind, name } = this;
    const headerEnd = Math.max(0, rowEnd(bytes, 0));
    const header = headerEnd === 0 ? [] : decodeRow(bytes.subarray(0, headerEnd)).map((cell) => cell ?? '');
    const columns = this.#typed(header, state);
    const rows = await rowsUntil(bytes.subarray(headerEnd), committedAt, columns);
    const pollColumn = state.names?.timestamp ?? TIMESTAMP;
    const itemTime = kind === 'log' ? (state.appends?.column ?? null) : null;
    const firstAt = rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, 0));
    const days = await this.#daysFor({ name, pollColumn, itemTime, firstAt, rows: async () => rows });
    const size = headerEnd + rows.body.length;
    this.#header = header;
    this.adopt(columns, state.keys, pollColumn);
    this.itemTime = itemTime;
    this.#reader.take(size);
    this.replaced({ size, rows: rows.ends.length, firstAt, lastAt: lastTimeIn(rows) });
    this.sealedDays = days;
  }

  async #continue(bytes: Buffer, state: TableState, committedAt: number): Promise<void> {
    const columns = this.#typed(this.#header ?? [], state);
    const rows = await rowsUntil(bytes, committedAt, columns);
    // A poll may have changed the type of a column.
    this.adopt(columns, state.keys, this.pollColumn);
    if (rows.ends.length === 0) return;
    this.#reader.take(rows.body.length);
    this.grew(rows, this.extent.size + rows.body.length, timeOfRow(rowAt(rows, 0)), lastTimeIn(rows));
  }

  /** The columns of the file, with their types as the state has them. */
  #typed(header: readonly string[], state: TableState): readonly Column[] {
    const known = columnsOf(this.#options.place.kind, state) ?? [];
    const types = new Map(known.map((column) => [column.name, column]));
    return header.map((name) => types.get(name) ?? { name, type: 'string', seen: false });
  }

  async #daysFor(rows: FollowedRows): Promise<readonly SealedDay[]> {
    return (await this.#options.daysFor?.(rows)) ?? [];
  }
}

/** Rows looked at between two yields to the event loop. */
const BATCH = 4096;

/** The rows before the first one that is incomplete or later than that time; rows are in the order of polls. */
async function rowsUntil(bytes: Buffer, time: number, columns: readonly Column[]): Promise<EncodedRows> {
  const breathe = createYielder();
  const ends = new Offsets();
  let size = 0;
  for (let end = rowEnd(bytes, 0); end > 0; end = rowEnd(bytes, size)) {
    ends.push(end);
    size = end;
    if (ends.length % BATCH === 0) await breathe();
  }
  const all = { columns, body: bytes.subarray(0, size), ends: ends.toArray() };
  let count = all.ends.length;
  while (count > 0 && timeOfRow(rowAt(all, count - 1)) > time) count--;
  return sliceRows(all, 0, count);
}
