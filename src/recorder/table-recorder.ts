import { isoTime } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import { freeBuffers } from '../base/garbage.js';
import type { Logger } from '../base/logger.js';
import { SerialQueue } from '../base/serial-queue.js';
import { sameLayout } from '../csv/columns.js';
import { rowAt } from '../csv/decode.js';
import { encodeFile, noRows } from '../csv/encode.js';
import { withItemTimes } from '../csv/item-time.js';
import { concatRows, inSlices, relayoutInSlices, withColumn } from '../csv/relayout.js';
import { type EditedRow, joinRows, RowBlocks } from '../csv/row-blocks.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Relation } from '../datasets/relation.js';
import type { DeltaReading, Reading } from '../sources/source.js';
import type { AppendedWriter } from './appended-writer.js';
import { changeRows, type Difference, diffRows } from './changes.js';
import { readChangesFromLog } from './changes-from-log.js';
import { ColumnTypes } from './column-types.js';
import { warnAboutGap } from './earlier-configuration.js';
import { attempt, deltaWithoutItems } from './errors.js';
import { withTimeColumn } from './item-times.js';
import { addedNames, changesColumns, hasOtherKeys, timeColumn, type Widened, widened } from './layout.js';
import { type OpenedTable, openTable } from './open-table.js';
import { type Compared, type Poll, type Recorded, redoneFrom, writeItems, writePoll } from './poll.js';
import type { Recorder } from './recorder.js';
import { pathsOf, type RecorderOptions } from './recorder-options.js';
import { restoreBaseline } from './restore-baseline.js';
import { inOrderOfTime, rowsLaterThan } from './rows-by-time.js';
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
  readonly #types: ColumnTypes;
  readonly #queue = new SerialQueue();
  /** The latest poll's time, committed or not. */
  #lastAt: number;
  /** The column of the items' time as the source described it last: to the source it is text or a number. */
  #timeInSource: Column | null = null;
  /** The position of the items in memory; the volume may have none or an earlier one. Null: that of the volume. */
  #position: string | null = null;
  /** Of the rows recorded last, and of earlier ones that are still in use. */
  readonly #memoryOfRows = new WeakSet<ArrayBufferLike>();

  private constructor(options: RecorderOptions, table: OpenedTable) {
    const { state, log, changes } = table;
    this.#options = options;
    this.#table = table;
    this.#clockWatch = new ClockWatch(options.name, options.logger);
    this.#types = new ColumnTypes({ ...options, declared: options.types ?? {} });
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
    const { columns } = this.#state;
    const { times } = this.#table;
    if (times === null) return columns;
    const name = times.time.column;
    const inSource = this.#timeInSource ?? { name, type: 'string', seen: false };
    return columns.map((column) => (column.name === name ? inSource : column));
  }

  /**
   * Where the source continues: the position of the last poll on the volume. Null if there is none, or if the items at
   * that position are unknown (a log alone keeps none, and needs none if it grows by new items).
   */
  get position(): string | null {
    const { baseline } = this.#table;
    if (this.#options.newItemsOnly === true) return this.#state.commit?.position ?? null;
    const isKnown = baseline?.isKnown && baseline.isTrue;
    return isKnown ? (this.#position ?? this.#state.commit?.position ?? null) : null;
  }

  /**
   * Records one poll. `startedAt`: when it began, in milliseconds; the clock may have gone back, the poll's time does
   * not. Never rejects because of the disk: what could not be written is in `problems`, and readers still see the new
   * snapshot. Rejects with `DELTA_WITHOUT_ITEMS` for a delta to unknown items.
   */
  record(reading: Reading, startedAt: number): Promise<Recorded> {
    return this.#queue.run(async () => {
      if (this.#isNothing(reading, startedAt)) return this.#nothing(startedAt);
      const recorded = await this.#record(reading, startedAt);
      if (reading.kind === 'full') this.#freeReplaced(reading.rows);
      return recorded;
    });
  }

  async #record(reading: Reading, startedAt: number): Promise<Recorded> {
    const poll = await this.#prepare(reading, startedAt);
    const { log, changes } = this.#table;
    if (log !== null || changes !== null) this.#clockWatch.recorded(poll.at, startedAt);
    const { bytes, isKept } = await writePoll(poll, this.#table, this.#options);
    this.#options.health.readAt = poll.readAt;
    if (isKept) this.#position = reading.position;
    const { at, items, compared, problems } = poll;
    const rows = items instanceof RowBlocks ? items.count : items.ends.length;
    return { at, rows, bytes, changes: compared?.rows.ends.length ?? null, problems };
  }

  /** Frees the memory of the rows before these, which nothing refers to any more. */
  #freeReplaced({ body }: EncodedRows): void {
    if (this.#memoryOfRows.has(body.buffer)) return;
    this.#memoryOfRows.add(body.buffer);
    freeBuffers(body.length);
  }

  /** Whether a reading adds nothing, not even a position that has to be kept. */
  #isNothing(reading: Reading, startedAt: number): boolean {
    const { baseline, snapshot } = this.#table;
    const isEmpty = reading.kind === 'delta' && reading.records.length === 0;
    const isBehind = baseline !== null && this.#isBehind && baseline.isDue(startedAt, snapshot?.size ?? 0);
    return isEmpty && reading.position === this.position && !isBehind;
  }

  /** Whether the items' file is of an earlier poll than the items. */
  get #isBehind(): boolean {
    const { comparedAt, snapshotAt, commit } = this.#state;
    return comparedAt !== snapshotAt || this.#position !== (commit?.position ?? null);
  }

  #nothing(startedAt: number): Recorded {
    const { snapshot, changes } = this.#table;
    this.#options.health.readAt = startedAt;
    snapshot?.seen(startedAt);
    const { rows, bytes } = snapshot?.status() ?? { rows: 0, bytes: 0 };
    return {
      at: startedAt,
      rows: rows ?? 0,
      bytes: bytes ?? 0,
      changes: changes === null ? null : 0,
      problems: [],
    };
  }

  atRest<T>(work: (paths: readonly string[]) => Promise<T>): Promise<T> {
    return this.#betweenPolls(() => work(pathsOf(this.#options)));
  }

  /** Closes the files. No poll may be running. */
  async close(): Promise<void> {
    // The next start need not apply changes to the items. If the disk refuses, it does.
    await this.#betweenPolls(() => writeItems(this.#keepsPosition ? this.position : null, this.#table)).catch(
      () => undefined,
    );
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
    const { columns: before } = this.#state;
    const laidOut = await this.#layOut(reading, at);
    const problems: DynamoCsvError[] = [];
    const learn = () => readChangesFromLog(this.#table, this.#options);
    const isReady = await attempt(this.#options.name, problems, learn);
    const found = await this.#found(reading, laidOut.rows, times);
    const { edited } = found;
    const items = await this.#typed(found.items, before, laidOut, reading);
    const rows = items instanceof RowBlocks ? null : items;
    const isVerified = reading.kind === 'full' && reading.verifies === true;
    const differences = found.differences ?? (await this.#differences(rows!, isVerified));
    if (isVerified) this.#logVerified(differences.length);
    return {
      at,
      readAt: startedAt,
      items,
      edited,
      position: this.#keepsPosition ? reading.position : null,
      logged: this.#table.log === null ? null : await this.#logged(rows!, differences, at),
      compared: this.#table.changes === null || !isReady ? null : await this.#compare(differences, at),
      problems,
    };
  }

  /**
   * Whether the position is kept with the items. Not where a log of new items has no changes beside it: an interruption
   * may leave items that are newer than the position, and what is read again from there must not be new twice. The next
   * start then begins with a full reading.
   */
  get #keepsPosition(): boolean {
    const { log, changes } = this.#table;
    if (this.#options.newItemsOnly === true) return true;
    return log === null || log.itemTime === null || changes !== null;
  }

  /** What a log gets of a poll: all items, or the new ones in the order of their times. */
  async #logged(rows: EncodedRows, differences: readonly Difference[], at: number): Promise<EncodedRows> {
    const { log, times } = this.#table;
    const logged =
      log?.itemTime == null
        ? rows
        : await inOrderOfTime(await this.#newItems(rows, differences), times!.time.column);
    return withTime(logged, addedNames(this.#state).timestamp, at);
  }

  async #newItems(rows: EncodedRows, differences: readonly Difference[]): Promise<EncodedRows> {
    const { baseline, times } = this.#table;
    const { appends, comparedAt, keys } = this.#state;
    const isFirst = appends?.since == null;
    if (isFirst || this.#options.newItemsOnly === true) return rows;
    if (baseline!.isTrue) return newRows(rows, differences);
    // Changed from outside: what it still has is not new.
    const before = await baseline!.allRows();
    if (before !== null) return newRows(rows, await diffRows(before, rows, keys.length));
    const after = comparedAt ?? 0;
    this.#options.logger.warn(
      { dataset: this.#options.name, after: isoTime(after) },
      `the items of the last poll are gone: items with a time after ${isoTime(after)} count as new, and no others`,
    );
    return rowsLaterThan(rows, times!.time.column, after);
  }

  /** Converts a reading, and what it is compared with, to the table's layout. */
  async #layOut(reading: Reading, at: number): Promise<LaidOut> {
    const { state, baseline } = this.#table;
    const before = state.current;
    const wider = widened(reading.rows.columns, reading, before, this.#options);
    const { layout, found } = wider;
    const { columns } = layout;
    const laidOut = await relayoutInSlices({ ...reading.rows, columns: found }, columns);
    const rows = await this.#timed({ ...laidOut, columns }, layout.keys, reading, at);
    if (hasOtherKeys(before, layout)) {
      if (reading.kind === 'delta') throw deltaWithoutItems(this.#options.source);
      const { logger, name } = this.#options;
      const keys = { before: before.keys, now: layout.keys };
      logger.warn({ dataset: name, ...keys }, 'the key schema changed: all items count as new');
      baseline?.clear();
      const { appends } = state.current;
      state.update({ keysSince: at, appends: appends && { ...appends, since: null } });
    }
    if (!sameLayout(before.columns, layout.columns)) await baseline?.layOut(layout.columns);
    state.update(layout);
    return { ...wider, rows };
  }

  /** The rows under columns whose types are decided, also in the state. `before`: the columns before the reading. */
  async #typed(
    items: Poll['items'],
    before: readonly Column[],
    { found, mixed }: LaidOut,
    { kind }: Reading,
  ): Promise<Poll['items']> {
    const allItems = async () => (items instanceof RowBlocks ? items.toRows() : items);
    const { columns, exceptions } = await this.#types.decide(
      items.columns,
      allItems,
      this.#keyCount,
      before,
      found,
      { kind, mixed },
    );
    this.#table.state.update({ columns });
    this.#options.health.exceptions = exceptions;
    return items instanceof RowBlocks ? items.layOut(columns) : { ...items, columns };
  }

  /** A reading's rows with the items' own times. */
  async #timed(
    rows: EncodedRows,
    keys: readonly string[],
    reading: Reading,
    at: number,
  ): Promise<EncodedRows> {
    const { times } = this.#table;
    if (times === null) return rows;
    const { column } = times.time;
    this.#timeInSource = reading.rows.columns.find(({ name }) => name === column) ?? this.#timeInSource;
    return reading.kind === 'full' ? times.ofAll(rows, keys, at) : times.ofRecords(rows, keys, at);
  }

  /**
   * All items after a reading, and the differences; null if these still have to be computed. For a log, which needs all of
   * them, the items of a delta are rows.
   */
  async #found(
    reading: Reading,
    rows: EncodedRows,
    times: readonly number[],
  ): Promise<Pick<Poll, 'items' | 'edited'> & { readonly differences: readonly Difference[] | null }> {
    if (reading.kind !== 'delta') return { items: rows, edited: [], differences: null };
    const { times: own } = this.#table;
    const { keys } = this.#state;
    const compareKeys = own === null ? reading.compareKeys : own.comparing(keys, reading.compareKeys);
    const before = await this.#table.baseline!.inBlocks(this.#keyCount, compareKeys);
    const { records } = reading;
    const edits = records.map(({ change }, index) => ({
      row: rowAt(rows, index),
      isRemoval: change !== 'put',
    }));
    const { rows: after, edited } = await before.edit(edits);
    const items = this.#table.log === null ? after : await after.toRows();
    return { items, edited, differences: differencesOf(edited, reading, times) };
  }

  #logVerified(differing: number): void {
    const { logger, name: dataset } = this.#options;
    if (differing === 0) logger.info({ dataset }, 'verified: the data is that of the table');
    else
      logger.warn(
        { dataset, differing },
        'a Scan of the table found items that differ from what its stream said: they are corrected',
      );
  }

  /** What differs from the last poll, as far as changes or a log of new items need it. */
  async #differences(rows: EncodedRows, isVerified: boolean): Promise<readonly Difference[]> {
    const { baseline, changes, log } = this.#table;
    const isNeeded = isVerified || changes !== null || log?.itemTime != null;
    if (!isNeeded || baseline === null || !baseline.isTrue) return [];
    return diffRows((await baseline.allRows()) ?? noRows(this.#state.columns), rows, this.#keyCount);
  }

  async #compare(differences: readonly Difference[], at: number): Promise<Compared> {
    const baseline = this.#table.baseline!;
    const { columns, keys, comparedAt } = this.#state;
    const since = baseline.isKnown ? comparedAt : null;
    const layout = changesColumns(columns, keys.length, addedNames(this.#state));
    return {
      differences,
      rows: await changeRows(differences, keys.length, layout, baseline.deleted, since, at),
    };
  }

  /** Restores what the next poll is compared with, and shows readers the data on the volume. */
  async #restore(): Promise<void> {
    const { state, log, changes, baseline, snapshot } = this.#table;
    const redone = redoneFrom(this.#table);
    if (redone !== null) redone.neededAfter = state.current.snapshotAt ?? 0;
    // No day of a log is sealed before its changes have been derived.
    if (log !== null && log.itemTime === null && changes?.isEmpty === true) log.neededAfter = 0;
    const { rows: restored, modifiedAt } =
      baseline === null
        ? { rows: null, modifiedAt: null }
        : await restoreBaseline({ ...this.#table, baseline }, this.#options);
    const rows = restored === null ? null : await this.#withOwnTimes(restored);
    if (rows !== null && state.current.columns.length === 0) state.update({ columns: rows.columns });
    const { readAt, comparedAt, keys } = state.current;
    if (rows !== null) await snapshot?.show(encodeFile(rows), rows, keys, comparedAt ?? modifiedAt ?? 0);
    const snapshotReadAt = snapshot?.version == null ? null : (comparedAt ?? modifiedAt);
    this.#options.health.readAt = snapshot === null ? (readAt ?? modifiedAt) : snapshotReadAt;
  }

  /** The items of the last poll with their own times: they may have been recorded before `time` was configured. */
  async #withOwnTimes(rows: EncodedRows): Promise<EncodedRows> {
    const { times, baseline } = this.#table;
    if (times === null || !rows.columns.some(({ name }) => name === times.time.column)) return rows;
    const timed = (await withItemTimes(rows, times.time)).rows;
    const typed = { ...timed, columns: withTimeColumn(timed.columns, times.time) };
    baseline!.rewrite(typed);
    return typed;
  }
}

/** A reading's rows in the table's layout, which they may have widened. */
interface LaidOut extends Widened {
  readonly rows: EncodedRows;
}

/** The rows of the items that are there after the differences and were not before. */
function newRows({ columns }: EncodedRows, differences: readonly Difference[]): EncodedRows {
  return joinRows(
    columns,
    differences.flatMap(({ before, after }) => (before === null && after !== null ? [after] : [])),
  );
}

/** What each record changed: one that left its item as it was is no difference. */
function differencesOf(
  edited: readonly EditedRow[],
  { records }: DeltaReading,
  times: readonly number[],
): Difference[] {
  return edited.flatMap(({ before, after }, index): Difference[] => {
    const isSame = before === null ? after === null : after?.equals(before) === true;
    if (isSame) return [];
    const { at: changedAt, change } = records[index]!;
    return [{ before, after, at: times[index]!, changedAt, isExpired: change === 'expire' }];
  });
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
