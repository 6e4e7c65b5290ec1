import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { historyInOtherTimeZone } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { rowAt } from '../csv/decode.js';
import type { Files } from '../csv/files.js';
import { concatRows } from '../csv/relayout.js';
import type { EncodedRows } from '../csv/rows.js';
import { SnapshotFile } from '../csv/snapshot-file.js';
import { type AppendedDataset, sliceRows } from './appended-dataset.js';
import { LocalDays } from './local-day.js';
import type { SealedDay } from './relation.js';
import { timeOfRow } from './row-time.js';
import { createYielder } from './yielding.js';

/** Tells which time zone's days the history is cut by. */
const TIME_ZONE_FILE = 'time-zone';
const TEMPORARY = '.tmp';
/** Sealed days between two lines in the log. */
const PROGRESS_EVERY = 30;

/** What sealing needs of the SQL engine. */
export interface ParquetWriter {
  /** Writes rows of one local day as Parquet (zstd). */
  writeParquet(rows: EncodedRows, date: string, path: string): Promise<void>;
  /** The times of the polls in a Parquet file of ours, milliseconds since the epoch. */
  timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>>;
}

export interface SealerOptions {
  readonly dataDir: string;
  readonly files: Files;
  readonly days: LocalDays;
  readonly parquet: ParquetWriter;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a dataset's days are kept, in days: in its CSV file, and altogether (null: for ever). */
export interface Keeping {
  readonly keep: number;
  readonly retention: number | null;
}

/**
 * Moves closed local days of logs and changes from their CSV file to `history/<dataset>/date=YYYY-MM-DD/`, as Parquet.
 *
 * Order of the steps: every day's Parquet file is written under a temporary name, synced and renamed; then the CSV file
 * is replaced by one without these days. Interrupted in between, the next run finds rows whose day is sealed already:
 * polls that are in the Parquet file are dropped from the CSV file, others (a restored file) get a file beside it.
 */
export class Sealer {
  readonly #options: SealerOptions;
  readonly #timeZoneFile: SnapshotFile;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#timeZoneFile = new SnapshotFile(join(options.dataDir, 'history', TIME_ZONE_FILE), options.files);
  }

  /** Refuses a history that was sealed by another time zone's days. Call before the first `restore`. */
  async checkTimeZone(): Promise<void> {
    const { dataDir, days } = this.#options;
    const found = (await this.#timeZoneFile.read())?.toString('utf8').trim();
    if (found !== undefined && found !== '' && found !== days.timeZone) {
      throw historyInOtherTimeZone(join(dataDir, 'history'), found, days.timeZone);
    }
  }

  /** Tells a dataset which of its days are sealed, and removes what an interruption left. */
  async restore(dataset: AppendedDataset): Promise<void> {
    const { files } = this.#options;
    const folder = this.#folder(dataset.name);
    const found: SealedDay[] = [];
    for (const entry of await files.list(folder)) {
      const date = /^date=(\d{4}-\d\d-\d\d)$/.exec(entry)?.[1];
      if (date === undefined) continue;
      const names = await files.list(join(folder, entry));
      for (const name of names.filter((name) => name.endsWith(TEMPORARY))) {
        await files.remove(join(folder, entry, name));
      }
      const paths = names.filter((name) => name.endsWith('.parquet')).sort();
      if (paths.length > 0) found.push({ date, paths: paths.map((name) => join(folder, entry, name)) });
    }
    dataset.sealedDays = found.sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  /**
   * Seals the days that are older than `keep` days, and drops those beyond the retention. When the signal aborts, it
   * rejects with its reason between two days; the next run goes on from there.
   */
  async seal(dataset: AppendedDataset, keeping: Keeping, signal?: AbortSignal): Promise<void> {
    const { days, clock, logger } = this.#options;
    const today = days.dateOf(clock.now());
    const firstKept = LocalDays.daysBefore(today, keeping.keep - 1);
    await this.#drop(dataset, keeping.retention, today);
    const rows = await dataset.rows();
    const closed = await this.#byDay(rows, firstKept);
    if (closed.size === 0) return;
    const started = clock.now();
    const sealed = new Map(dataset.sealedDays.map((day) => [day.date, day]));
    let done = 0;
    for (const [date, dayRows] of [...closed].sort(([a], [b]) => (a < b ? -1 : 1))) {
      signal?.throwIfAborted();
      sealed.set(date, await this.#sealDay(dataset, date, dayRows, sealed.get(date)));
      done++;
      if (done % PROGRESS_EVERY === 0)
        logger.info({ dataset: dataset.name, days: done, of: closed.size }, 'sealing days');
    }
    const all = [...sealed.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
    await dataset.dropRowsBefore(days.startOf(firstKept), all);
    const took = clock.now() - started;
    logger.info(
      { dataset: dataset.name, days: closed.size, rows: rows.ends.length, took },
      'sealed closed days',
    );
  }

  async #sealDay(
    dataset: AppendedDataset,
    date: string,
    rows: EncodedRows,
    before: SealedDay | undefined,
  ): Promise<SealedDay> {
    const { files, parquet, days } = this.#options;
    const rest = before === undefined ? rows : await this.#notIn(before, rows, dataset.timeColumn);
    if (before !== undefined && rest.ends.length === 0) return before;
    const folder = join(this.#folder(dataset.name), `date=${date}`);
    await files.makeFolder(folder);
    await this.#timeZoneFile.replace(Buffer.from(`${days.timeZone}\n`));
    const count = before?.paths.length ?? 0;
    const path = join(folder, count === 0 ? `${date}.parquet` : `${date}-${count + 1}.parquet`);
    const temporary = `${path}${TEMPORARY}`;
    await parquet.writeParquet(rest, date, temporary);
    await sync(files, temporary);
    await files.rename(temporary, path);
    await files.syncFolder(folder);
    return { date, paths: [...(before?.paths ?? []), path] };
  }

  /** The rows of a sealed day whose poll its Parquet files do not have. */
  async #notIn(day: SealedDay, rows: EncodedRows, timeColumn: string): Promise<EncodedRows> {
    const known = new Set<number>();
    for (const path of day.paths) {
      for (const time of await this.#options.parquet.timesIn(path, timeColumn)) known.add(time);
    }
    const missing: EncodedRows[] = [sliceRows(rows, 0, 0)];
    for (let row = 0; row < rows.ends.length; row++) {
      if (!known.has(timeOfRow(rowAt(rows, row)))) missing.push(sliceRows(rows, row, row + 1));
    }
    return concatRows(missing);
  }

  /** The rows before the local day `firstKept`, by local day. */
  async #byDay(rows: EncodedRows, firstKept: string): Promise<Map<string, EncodedRows>> {
    const { days } = this.#options;
    const breathe = createYielder();
    const parts = new Map<string, EncodedRows[]>();
    let start = 0;
    let date = '';
    let dayStart = Number.POSITIVE_INFINITY;
    let dayEnd = Number.NEGATIVE_INFINITY;
    const finish = (end: number) => {
      if (end > start && date < firstKept) {
        const part = sliceRows(rows, start, end);
        parts.set(date, [...(parts.get(date) ?? []), part]);
      }
      start = end;
    };
    for (let row = 0; row < rows.ends.length; row++) {
      if ((row & 1023) === 0) await breathe();
      const time = timeOfRow(rowAt(rows, row));
      if (time >= dayStart && time < dayEnd) continue;
      finish(row);
      date = days.dateOf(time);
      dayStart = time;
      dayEnd = days.endOf(time);
    }
    finish(rows.ends.length);
    return new Map([...parts].map(([day, dayParts]) => [day, concatRows(dayParts)]));
  }

  async #drop(dataset: AppendedDataset, retention: number | null, today: string): Promise<void> {
    if (retention === null) return;
    const { files, logger } = this.#options;
    const oldest = LocalDays.daysBefore(today, retention - 1);
    const gone = dataset.sealedDays.filter((day) => day.date < oldest);
    if (gone.length === 0) return;
    dataset.sealedDays = dataset.sealedDays.filter((day) => day.date >= oldest);
    for (const day of gone) await files.removeFolder(join(this.#folder(dataset.name), `date=${day.date}`));
    logger.info(
      { dataset: dataset.name, days: gone.length, before: oldest },
      'dropped days beyond the retention',
    );
  }

  #folder(name: string): string {
    return join(this.#options.dataDir, 'history', name);
  }
}

async function sync(files: Files, path: string): Promise<void> {
  const file = await files.open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
