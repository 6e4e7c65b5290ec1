import { SerialQueue } from '../base/serial-queue.js';
import { sameLayout } from '../csv/columns.js';
import { rowAt, type SplitCsv, splitRows } from '../csv/decode.js';
import { encodeHeader, noRows } from '../csv/encode.js';
import { inferColumns } from '../csv/infer.js';
import { encodeRejectedLines, splitIntactRows } from '../csv/intact-rows.js';
import { inSlices, relayout, relayoutInSlices, sliceRows } from '../csv/relayout.js';
import { lastTimeIn, timeOfRow } from '../csv/row-time.js';
import type { Column, EncodedRows, RowRange } from '../csv/rows.js';
import type { SealedDay } from '../datasets/relation.js';
import { AppendFile, type Recovery } from '../volume/append-file.js';
import type { Files } from '../volume/files.js';
import { AppendedDataset, type AppendedOptions } from './appended-dataset.js';

export interface AppendedWriterOptions extends AppendedOptions {
  readonly path: string;
  readonly files: Files;
  /**
   * Time of the last committed poll, in milliseconds since the epoch: later rows of an interrupted append do not count.
   * Absent: complete appends count.
   */
  readonly committedAt?: number;
  /** Keeps unreadable bytes under that name and returns their path. */
  readonly keepDamaged?: (name: string, bytes: Buffer) => Promise<string>;
  /** Called when the file is no longer at its path: a new one was begun, or a copy adopted. */
  readonly onMoved?: (what: 'begun' | 'adopted') => void;
  /** Runs `work` while no poll of the table is being written; by default immediately. */
  readonly betweenPolls?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Damaged lines, and where they are kept. */
export interface DamagedLines {
  readonly lines: number;
  readonly keptAt: string;
}

export interface OpenedWriter {
  readonly dataset: AppendedWriter;
  /** What was truncated at the file's end; null: nothing. */
  readonly recovery: Recovery | null;
  readonly damaged: DamagedLines | null;
}

/** Writes a log or changes. Opening repairs the file; appended rows count once they are confirmed. */
export class AppendedWriter extends AppendedDataset {
  readonly #file: AppendFile;
  readonly #onMoved: AppendedWriterOptions['onMoved'];
  readonly #betweenPolls: NonNullable<AppendedWriterOptions['betweenPolls']>;
  readonly #queue = new SerialQueue();
  /** Rows that are in the file but do not count yet. */
  #staged: EncodedRows | null = null;
  /** Newer rows (milliseconds since the epoch) have to stay in the file: the recorder still needs them. */
  neededAfter = Number.POSITIVE_INFINITY;

  private constructor(options: AppendedWriterOptions, file: AppendFile) {
    super(options);
    this.#file = file;
    this.#onMoved = options.onMoved;
    this.#betweenPolls = options.betweenPolls ?? ((work) => work());
  }

  /** Opens the file, repairs it after an interruption or damage, and reads its rows. */
  static async open(options: AppendedWriterOptions): Promise<OpenedWriter> {
    const { path, files, committedAt } = options;
    const counts = (rows: Buffer) => committedAt === undefined || lastTimeInBytes(rows) <= committedAt;
    const file = await AppendFile.open(path, files, undefined, counts);
    try {
      const dataset = new AppendedWriter(options, file);
      return { dataset, recovery: file.recovery, damaged: await dataset.#load(options) };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  protected override readFile<T>(work: (first: (size: number) => Promise<Buffer>) => Promise<T>): Promise<T> {
    return this.#queue.run(() => work(() => this.#file.read()));
  }

  /**
   * Changes the file's layout to `wanted` before rows with these columns are appended: a new attribute adds a column, in
   * which old rows get an empty cell. Columns that are no longer wanted (the table has another key schema) stay, before
   * the time. The file is replaced atomically; nothing happens if the layout already fits.
   */
  layOut(wanted: readonly Column[], keys: readonly string[], pollColumn: string): Promise<void> {
    return this.#queue.run(async () => {
      await this.#stayAtPath();
      const isNew = this.extent.size === 0;
      const columns = isNew ? wanted : withColumnsOf(this.columns ?? [], wanted);
      const adopt = () => this.adopt(columns, keys, pollColumn);
      if (!isNew && this.columns !== null && sameLayout(this.columns, columns)) return adopt();
      const rows = isNew ? null : await this.#readRows();
      const parts = rows === null ? [] : await inSlices(rows, (part) => relayout(part, columns));
      await this.#replace([encodeHeader(columns), ...parts.map(({ body }) => body)], (size) => {
        adopt();
        this.replaced({ ...this.extent, size });
      });
    });
  }

  /**
   * Appends one poll's rows in the layout of `layOut`. They survive a power loss once this resolves, and count, for
   * readers and for the next start, once they are confirmed. If it rejects, the file is unchanged.
   */
  stage(added: EncodedRows): Promise<void> {
    return this.#queue.run(async () => {
      const rows = this.columns === null ? added : await relayoutInSlices(added, this.columns);
      await this.#file.stage(rows.body);
      this.#staged = rows;
    });
  }

  /** Makes the staged rows count. `at`: their poll's time, or that of the newest row. */
  confirm(at?: number): void {
    const rows = this.#staged;
    this.#staged = null;
    this.#file.confirm();
    if (rows === null || rows.ends.length === 0) return;
    this.grew(rows, this.#file.size, timeOfRow(rowAt(rows, 0)), at ?? lastTimeIn(rows));
  }

  /** Removes staged rows again. If the disk refuses, the next operation tries that first. */
  takeBack(): Promise<void> {
    return this.#queue.run(async () => {
      this.#staged = null;
      await this.#file.takeBack();
    });
  }

  /** `stage` and `confirm` in one. */
  async append(rows: EncodedRows, at: number): Promise<void> {
    await this.stage(rows);
    this.confirm(at);
  }

  /** Replaces the whole content of the file by these rows, atomically. */
  fill(rows: EncodedRows, at: number): Promise<void> {
    return this.#queue.run(async () => {
      await this.#replace([encodeHeader(rows.columns), rows.body], (size) => {
        this.adopt(rows.columns, this.keys, this.pollColumn);
        this.replaced({ size, rows: rows.ends.length, firstAt: firstTimeIn(rows), lastAt: at });
      });
    });
  }

  /** All rows of the file. */
  rows(): Promise<EncodedRows> {
    return this.#queue.run(() => this.#readRows());
  }

  /**
   * Removes rows from the file and shows these sealed days instead, in one step for every reader. `ranges`: indexes into
   * what `rows` returned, in any order, without overlaps; rows appended since then stay.
   */
  dropRows(ranges: readonly RowRange[], days: readonly SealedDay[]): Promise<void> {
    return this.#betweenPolls(() =>
      this.#queue.run(async () => {
        if (ranges.length === 0) {
          this.sealedDays = days;
          return;
        }
        const rows = await this.#readRows();
        const kept = rangesBetween(ranges, rows.ends.length).map(({ from, to }) => sliceRows(rows, from, to));
        const count = kept.reduce((sum, part) => sum + part.ends.length, 0);
        await this.#replace([encodeHeader(rows.columns), ...kept.map((part) => part.body)], (size) => {
          this.replaced({ ...this.extent, size, rows: count, firstAt: kept[0] ? firstTimeIn(kept[0]) : 0 });
          this.sealedDays = days;
        });
      }),
    );
  }

  close(): Promise<void> {
    return this.#queue.run(() => this.#file.close());
  }

  async #load({ keepDamaged }: AppendedWriterOptions): Promise<DamagedLines | null> {
    if (this.#file.size === 0) return null;
    const bytes = await this.#file.read();
    const found = await split(bytes, this.#file.path, keepDamaged);
    const known = new Map(this.columns?.map((column) => [column.name, column]));
    const bare = found.header.map(
      (name) => known.get(name) ?? { name, type: 'string' as const, seen: false },
    );
    const rows = { columns: bare, body: found.body, ends: found.ends };
    const unknown = new Set(found.header.filter((name) => !known.has(name)));
    this.adopt(await inferColumns(rows, unknown), this.keys, this.pollColumn);
    if (found.damaged !== null) await this.#file.replace([encodeHeader(bare), found.body]);
    const { size } = this.#file;
    this.replaced({ size, rows: found.ends.length, firstAt: firstTimeIn(rows), lastAt: lastTimeIn(rows) });
    return found.damaged;
  }

  /** Checks that the file is still at its path: it, or its whole folder, may have been moved. */
  async #stayAtPath(): Promise<void> {
    const what = await this.#file.stayAtPath();
    if (what === 'same') return;
    if (what === 'begun') this.replaced({ size: 0, rows: 0, firstAt: 0, lastAt: 0 });
    this.#onMoved?.(what);
  }

  async #readRows(): Promise<EncodedRows> {
    if (this.#file.size === 0) return noRows(this.columns ?? []);
    const { body, ends } = await splitRows(await this.#file.read(), this.#file.path);
    return { columns: this.columns ?? [], body, ends };
  }

  /** Replaces the file, and calls `adopt` as soon as the new one is in place, even if it could not be synced. */
  async #replace(parts: readonly Buffer[], adopt: (size: number) => void): Promise<void> {
    const { replacements } = this.#file;
    try {
      await this.#file.replace(parts);
    } finally {
      if (this.#file.replacements > replacements) adopt(this.#file.size);
    }
  }
}

/** Splits the file into rows; malformed lines are moved aside with `keepDamaged`, if there is one. */
async function split(
  bytes: Buffer,
  path: string,
  keepDamaged: AppendedWriterOptions['keepDamaged'],
): Promise<SplitCsv & { readonly damaged: DamagedLines | null }> {
  const found = keepDamaged === undefined ? null : await splitIntactRows(bytes);
  if (keepDamaged === undefined || found === null)
    return { ...(await splitRows(bytes, path)), damaged: null };
  if (found.rejected.length === 0) return { ...found, damaged: null };
  const keptAt = await keepDamaged('lines', encodeRejectedLines(found.rejected));
  return { ...found, damaged: { lines: found.rejected.length, keptAt } };
}

function firstTimeIn(rows: EncodedRows): number {
  return rows.ends.length === 0 ? 0 : timeOfRow(rowAt(rows, 0));
}

/** The time at the end of the last row. */
function lastTimeInBytes(rows: Buffer): number {
  return timeOfRow(rows);
}

/** The wanted columns, with the file's other columns inserted before the last one (the time). */
function withColumnsOf(file: readonly Column[], wanted: readonly Column[]): readonly Column[] {
  const names = new Set(wanted.map(({ name }) => name));
  const others = file.filter(({ name }) => !names.has(name));
  return others.length === 0 ? wanted : [...wanted.slice(0, -1), ...others, ...wanted.slice(-1)];
}

/** The rows of polls after an instant; rows are in the order of polls. */
export function rowsAfter(rows: EncodedRows, instant: number): EncodedRows {
  let first = rows.ends.length;
  while (first > 0 && timeOfRow(rowAt(rows, first - 1)) > instant) first--;
  return sliceRows(rows, first, rows.ends.length);
}

/** The complement among `count` rows of ranges that do not overlap. */
function rangesBetween(ranges: readonly RowRange[], count: number): RowRange[] {
  const between: RowRange[] = [];
  let from = 0;
  // Items filed by their own time: the rows of several days lie between each other.
  for (const range of [...ranges].sort((a, b) => a.from - b.from).concat({ from: count, to: count })) {
    if (range.from > from) between.push({ from, to: range.from });
    from = range.to;
  }
  return between;
}
