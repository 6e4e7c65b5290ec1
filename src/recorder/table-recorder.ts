import { isoTime } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { SerialQueue } from '../base/serial-queue.js';
import { sameColumns } from '../csv/columns.js';
import { encodeFile, noRows } from '../csv/encode.js';
import { concatRows, inSlices, withColumn } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Relation } from '../datasets/relation.js';
import type { DeltaReading, Reading } from '../sources/source.js';
import type { AppendedWriter } from './appended-writer.js';
import { changeRows, type Difference, diffRows } from './changes.js';
import { readChangesFromLog } from './changes-from-log.js';
import { bringForward } from './delta.js';
import { warnAboutGap } from './earlier-configuration.js';
import { attempt, deltaWithoutItems } from './errors.js';
import { addedNames, changesColumns, hasOtherKeys, layOut, timeColumn } from './layout.js';
import { type OpenedTable, openTable } from './open-table.js';
import { type Compared, type Poll, type Recorded, writePoll } from './poll.js';
import type { Recorder } from './recorder.js';
import type { RecorderOptions } from './recorder-options.js';
import { restoreBaseline } from './restore-baseline.js';
import type { TableState } from './table-state.js';

/**
 * Records the polls of one source: into a snapshot or a log, and into changes.
 *
 * A poll counts once the state file says so (`TableState.readAt`). The rows of changes and log are appended before that;
 * if the state cannot be written, or the process dies before it is, they are removed again. The snapshot is replaced
 * after that; if the process dies in between, the next start applies the newer changes to the old snapshot.
 */
export class TableRecorder implements Recorder {
  readonly brokenBy = null;
  readonly #options: RecorderOptions;
  readonly #table: OpenedTable;
  readonly #clockWatch: ClockWatch;
  readonly #queue = new SerialQueue();
  /** The latest poll's time, committed or not. */
  #lastAt: number;

  private constructor(options: RecorderOptions, table: OpenedTable) {
    const { state, log, changes } = table;
    this.#options = options;
    this.#table = table;
    this.#clockWatch = new ClockWatch(options.name, options.logger);
    this.#lastAt = Math.max(state.current.readAt ?? 0, log?.lastAt ?? 0, changes?.lastAt ?? 0);
  }

  /** Opens this source's files, and finishes or undoes interrupted work. */
  static async open(options: RecorderOptions): Promise<TableRecorder> {
    let recorder: TableRecorder | null = null;
    const betweenPolls = <T>(work: () => Promise<T>) => (recorder as TableRecorder).#betweenPolls(work);
    const table = await openTable(options, betweenPolls);
    recorder = new TableRecorder(options, table);
    try {
      await recorder.#restore();
    } catch (error) {
      await Promise.allSettled([table.log?.close(), table.changes?.close()]);
      throw error;
    }
    if (table.found !== null) warnAboutGap(table.found, table.changes, options);
    return recorder;
  }

  /** Snapshot or log first, then the others. */
  get datasets(): readonly Relation[] {
    const { snapshot, log, changes } = this.#table;
    return [snapshot, log, changes].filter((dataset) => dataset !== null);
  }

  get log(): AppendedWriter | null {
    return this.#table.log;
  }

  get changes(): AppendedWriter | null {
    return this.#table.changes;
  }

  /** The table's own columns known so far, for the source. */
  get known(): readonly Column[] {
    return this.#state.columns;
  }

  /**
   * Where the source continues: the position of the last poll on the volume. Null if there is none, or if the items at
   * that position are unknown (a log alone keeps none, and needs none if it grows by new items).
   */
  get position(): string | null {
    const { baseline } = this.#table;
    const isKnown =
      baseline === null ? this.#options.newItemsOnly === true : baseline.rows !== null && baseline.isTrue;
    return isKnown ? (this.#state.commit?.position ?? null) : null;
  }

  /**
   * Records one poll. `startedAt`: when it began, in milliseconds; the clock may have gone back, the poll's time does
   * not. Never rejects because of the disk: what could not be written is in `problems`, and readers still see the new
   * snapshot. Rejects with `DELTA_WITHOUT_ITEMS` for a delta to unknown items.
   */
  record(reading: Reading, startedAt: number): Promise<Recorded> {
    return this.#queue.run(async () => {
      const poll = await this.#prepare(reading, startedAt);
      const { log, changes } = this.#table;
      if (log !== null || changes !== null) this.#clockWatch.recorded(poll.at, startedAt);
      const bytes = await writePoll(poll, this.#table, this.#options);
      this.#options.health.readAt = poll.readAt;
      const { at, rows, compared, problems } = poll;
      return { at, rows: rows.ends.length, bytes, changes: compared?.rows.ends.length ?? null, problems };
    });
  }

  /** Closes the files. No poll may be running. */
  async close(): Promise<void> {
    await this.#table.log?.close();
    await this.#table.changes?.close();
  }

  get #state(): TableState {
    return this.#table.state.current;
  }

  /** The time up to which recorded rows count. */
  get #countedAt(): number {
    return Math.max(this.#state.readAt ?? 0, this.#table.changes?.lastAt ?? 0);
  }

  get #keyCount(): number {
    return this.#state.keys.length;
  }

  /** Runs `work` while no poll is being written and no commit is in doubt. */
  #betweenPolls<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      await this.#table.state.settle();
      return work();
    });
  }

  /** Computes what a poll adds; writes nothing. */
  async #prepare(reading: Reading, startedAt: number): Promise<Poll> {
    if (reading.kind === 'delta' && this.position === null) throw deltaWithoutItems(this.#options.source);
    const times = reading.kind === 'delta' ? timesAfter(this.#countedAt, reading) : [];
    const at = Math.max(startedAt, this.#lastAt + 1, times.at(-1) ?? 0);
    this.#lastAt = at;
    const laidOut = await this.#layOut(reading, at);
    const problems: DynamoCsvError[] = [];
    const learn = () => readChangesFromLog(this.#table, this.#options);
    const isReady = await attempt(this.#options.name, problems, learn);
    const { rows, differences } = await this.#found(reading, laidOut, times);
    return {
      at,
      readAt: startedAt,
      rows,
      position: reading.position,
      logged: this.#table.log === null ? null : await withTime(rows, addedNames(this.#state).timestamp, at),
      compared: this.#table.changes === null || !isReady ? null : await this.#compare(rows, differences, at),
      problems,
    };
  }

  /** Converts a reading, and what it is compared with, to the table's layout. */
  async #layOut(reading: Reading, at: number): Promise<EncodedRows> {
    const { state, baseline } = this.#table;
    const before = state.current;
    const { layout, rows } = await layOut(reading, before, this.#options);
    if (hasOtherKeys(before, layout)) {
      if (reading.kind === 'delta') throw deltaWithoutItems(this.#options.source);
      const { logger, name } = this.#options;
      const keys = { before: before.keys, now: layout.keys };
      logger.warn({ dataset: name, ...keys }, 'the key schema changed: all items count as new');
      baseline?.clear();
      state.update({ keysSince: at });
    }
    if (!sameColumns(before.columns, layout.columns)) await baseline?.layOut(layout.columns);
    state.update(layout);
    return rows;
  }

  /** All items after a reading, and the differences; null if these still have to be computed. */
  async #found(
    reading: Reading,
    rows: EncodedRows,
    times: readonly number[],
  ): Promise<{ readonly rows: EncodedRows; readonly differences: readonly Difference[] | null }> {
    if (reading.kind !== 'delta') return { rows, differences: null };
    const items = this.#table.baseline!.inOrder(this.#keyCount, reading.compareKeys);
    return bringForward(items, rows, reading, this.#keyCount, times);
  }

  async #compare(rows: EncodedRows, known: readonly Difference[] | null, at: number): Promise<Compared> {
    const baseline = this.#table.baseline!;
    const { columns, keys, comparedAt } = this.#state;
    const differences =
      known ?? (baseline.isTrue ? await diffRows(baseline.rows ?? noRows(columns), rows, keys.length) : []);
    const since = baseline.rows === null ? null : comparedAt;
    const layout = changesColumns(columns, keys.length, addedNames(this.#state));
    return {
      differences,
      rows: await changeRows(differences, keys.length, layout, baseline.deleted, since, at),
    };
  }

  /** Restores what the next poll is compared with, and shows readers the data on the volume. */
  async #restore(): Promise<void> {
    const { state, log, changes, baseline, snapshot } = this.#table;
    if (changes !== null) changes.neededAfter = state.current.snapshotAt ?? 0;
    // No day of a log is sealed before its changes have been derived.
    if (log !== null && changes?.isEmpty === true) log.neededAfter = 0;
    const { rows, modifiedAt } =
      baseline === null
        ? { rows: null, modifiedAt: null }
        : await restoreBaseline({ ...this.#table, baseline }, this.#options);
    if (rows !== null && state.current.columns.length === 0) state.update({ columns: rows.columns });
    const { readAt, comparedAt, keys } = state.current;
    if (rows !== null) await snapshot?.show(encodeFile(rows), rows, keys, comparedAt ?? modifiedAt ?? 0);
    const snapshotReadAt = snapshot?.version == null ? null : (comparedAt ?? modifiedAt);
    this.#options.health.readAt = snapshot === null ? (readAt ?? modifiedAt) : snapshotReadAt;
  }
}

/** Times of a delta's records: later than everything recorded before, and never decreasing. */
function timesAfter(countedAt: number, { records }: DeltaReading): number[] {
  let latest = countedAt + 1;
  return records.map(({ at }) => {
    latest = Math.max(latest, at);
    return latest;
  });
}

async function withTime(rows: EncodedRows, name: string, at: number): Promise<EncodedRows> {
  const column = timeColumn(name);
  const time = isoTime(at);
  return concatRows(await inSlices(rows, (part) => withColumn(part, column, time)));
}

/** Milliseconds by which a time server may set a clock back; beyond this, windows miss recorded rows. */
const TOLERATED = 60_000;

/**
 * Detects a clock that is behind the recorded polls, because it went back or was ahead for a while. Polls keep their
 * order, so they are dated in the future until it catches up; both ends of that are logged.
 */
class ClockWatch {
  readonly #dataset: string;
  readonly #logger: Logger;
  #isBehind = false;

  constructor(dataset: string, logger: Logger) {
    this.#dataset = dataset;
    this.#logger = logger;
  }

  /** Call for each poll: it began at `startedAt` by the clock and is recorded as of `at`, both in milliseconds. */
  recorded(at: number, startedAt: number): void {
    const isBehind = at - startedAt > TOLERATED;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    const facts = { dataset: this.#dataset, recordedAs: isoTime(at) };
    if (!isBehind) this.#logger.info(facts, 'the clock has caught up with the recorded polls');
    else {
      this.#logger.warn(
        facts,
        `the clock says ${isoTime(startedAt)}, but polls up to ${isoTime(at)} are already recorded: until it catches up, new polls are dated right after those and windows such as last=10m miss them; check the clock`,
      );
    }
  }
}
