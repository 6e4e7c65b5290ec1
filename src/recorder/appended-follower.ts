import { SerialQueue } from '../base/serial-queue.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import { lastTimeIn, timeOfRow } from '../csv/row-time.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { Offsets, rowEnd } from '../csv/scan.js';
import type { PollHealth } from '../datasets/freshness.js';
import { AppendFileReader } from '../volume/append-file-reader.js';
import type { Files } from '../volume/files.js';
import { csvFile } from '../volume/layout.js';
import { AppendedDataset } from './appended-dataset.js';
import { columnsOf, TIMESTAMP } from './layout.js';
import type { Place } from './recorder-options.js';
import { stateFileOf, type TableState, type TableStateFile } from './table-state.js';

export interface FollowerOptions {
  readonly place: Place & { readonly kind: 'log' | 'changes' };
  /** The published name of the source. */
  readonly name: string;
  readonly dataDir: string;
  readonly files: Files;
  readonly health: PollHealth;
}

/**
 * A log or changes that another process records: read-only, without a lock, and in whole polls. The state file, which is
 * read before the rows, has the last committed poll: all rows up to it are in the file. Later rows are not shown yet:
 * they may be a partial append, or one that its writer takes back.
 */
export class AppendedFollower extends AppendedDataset {
  readonly #kind: FollowerOptions['place']['kind'];
  readonly #state: TableStateFile;
  readonly #reader: AppendFileReader;
  readonly #followed: PollHealth;
  readonly #queue = new SerialQueue();

  constructor({ place, name, dataDir, files, health }: FollowerOptions) {
    const path = csvFile(dataDir, place.dataset);
    const facts = { source: path, description: 'Recorded by another process.', health };
    super({ ...facts, name: place.dataset, kind: place.kind, known: null, keys: [], pollColumn: TIMESTAMP });
    this.#kind = place.kind;
    this.#state = stateFileOf(dataDir, name, files);
    this.#reader = new AppendFileReader(path, files);
    this.#followed = health;
  }

  /** Picks up newly committed polls. Rejects with `VOLUME_READ_FAILED`. */
  refresh(): Promise<void> {
    return this.#queue.run(async () => {
      const state = await this.#state.readIfOurs();
      const unread = await this.#reader.unread();
      if (state === null || unread === null)
        return this.replaced({ size: 0, rows: 0, firstAt: 0, lastAt: 0 });
      this.#followed.readAt = state.readAt;
      const committedAt = state.readAt ?? 0;
      if (unread.isNew) this.#begin(unread.bytes, state, committedAt);
      else this.#continue(unread.bytes, committedAt);
    });
  }

  close(): Promise<void> {
    return this.#queue.run(() => this.#reader.close());
  }

  protected override readFile<T>(work: (first: (size: number) => Promise<Buffer>) => Promise<T>): Promise<T> {
    return this.#queue.run(() => work(() => this.#reader.read()));
  }

  #begin(bytes: Buffer, state: TableState, committedAt: number): void {
    const headerEnd = Math.max(0, rowEnd(bytes, 0));
    const columns = columnsIn(bytes.subarray(0, headerEnd), columnsOf(this.#kind, state) ?? []);
    this.adopt(columns, state.keys, state.names?.timestamp ?? TIMESTAMP);
    this.itemTime = this.#kind === 'log' ? (state.appends?.column ?? null) : null;
    const rows = rowsUntil(bytes.subarray(headerEnd), committedAt, columns);
    const size = headerEnd + rows.body.length;
    this.#reader.take(size);
    const firstAt = rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, 0));
    this.replaced({ size, rows: rows.ends.length, firstAt, lastAt: lastTimeIn(rows) });
  }

  #continue(bytes: Buffer, committedAt: number): void {
    const rows = rowsUntil(bytes, committedAt, this.columns ?? []);
    if (rows.ends.length === 0) return;
    this.#reader.take(rows.body.length);
    this.grew(rows, this.extent.size + rows.body.length, timeOfRow(rowAt(rows, 0)), lastTimeIn(rows));
  }
}

/** The columns of a header, with their known types. */
function columnsIn(header: Buffer, known: readonly Column[]): readonly Column[] {
  const types = new Map(known.map((column) => [column.name, column]));
  const names = header.length === 0 ? [] : decodeRow(header).map((cell) => cell ?? '');
  return names.map((name) => types.get(name) ?? { name, type: 'string', seen: false });
}

/** The rows before the first one that is incomplete or later than that time. */
function rowsUntil(bytes: Buffer, time: number, columns: readonly Column[]): EncodedRows {
  const ends = new Offsets();
  let size = 0;
  for (let end = rowEnd(bytes, 0); end > 0; end = rowEnd(bytes, size)) {
    if (timeOfRow(bytes.subarray(size, end)) > time) break;
    ends.push(end);
    size = end;
  }
  return { columns, body: bytes.subarray(0, size), ends: ends.toArray() };
}
