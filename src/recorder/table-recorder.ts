import { isoTime } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import { sameColumns } from '../csv/columns.js';
import { encodeFile, noRows } from '../csv/encode.js';
import { concatRows, inSlices, withColumn } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Relation } from '../datasets/relation.js';
import type { Reading } from '../sources/source.js';
import { baselineFile, csvFile, deletedFile } from '../volume/layout.js';
import { type AppendedDataset, rowsAfter } from './appended-dataset.js';
import { Baseline } from './baseline.js';
import { changeRows } from './change-rows.js';
import { changesOfLog } from './changes-of-log.js';
import { ClockWatch } from './clock-watch.js';
import { type AddedNames, changesColumns, logColumns, timeColumn } from './column-names.js';
import { diffRows } from './diff.js';
import { warnAboutGap } from './earlier-configuration.js';
import { notPersisted } from './errors.js';
import { hasOtherKeys, isSameLayout, type Layout, layOut } from './layout.js';
import { type OpenedTable, openTable } from './open-table.js';
import { type Compared, joinPolls, type PastPoll, type Poll } from './poll.js';
import { placesOf, type RecorderOptions } from './recorder-options.js';
import { restoreBaseline } from './restore-baseline.js';
import { SnapshotDataset } from './snapshot-dataset.js';
import { stateFileOf, type TableState, type TableStateFile } from './table-state.js';

/** Bytes of past polls that are gathered before they are written. */
const PAST_BATCH = 4 * 1024 * 1024;

/** What became of one poll's rows. */
export interface Recorded {
  /** The poll's time: its start, later than every poll before. */
  readonly at: number;
  readonly rows: number;
  readonly bytes: number;
  /** Rows in which this poll differs from the one before; null where changes are not kept. */
  readonly changes: number | null;
  /** Why the volume did not take all of it; empty when everything is on disk. */
  readonly problems: readonly DynamoCsvError[];
}

/**
 * Records the polls of one source: into a snapshot or a log, and into changes.
 *
 * The order of a poll's steps makes every interruption harmless: changes and log are appended (each whole or not at
 * all), then the snapshot is replaced, then the state says so. At start, changes that came after the poll of which the
 * state tells are applied to the snapshot, which changes nothing where it has them already.
 */
export class TableRecorder {
  readonly #options: RecorderOptions;
  readonly #stateFile: TableStateFile;
  readonly #clockWatch: ClockWatch;
  readonly #baseline: Baseline | null;
  readonly #snapshot: SnapshotDataset | null;
  readonly #log: AppendedDataset | null;
  readonly #changes: AppendedDataset | null;
  /** What the state file says once it is written again. */
  #state: TableState;
  /** What the state file says of the layout: rows of another one are not written before it says so. */
  #described: Layout;
  /** The latest poll's time, whatever became of it. */
  #lastAt: number;

  private constructor(
    options: RecorderOptions,
    stateFile: TableStateFile,
    { log, changes, state, found }: OpenedTable,
  ) {
    const { name, source, dataDir, files, health } = options;
    this.#options = options;
    this.#clockWatch = new ClockWatch(name, options.logger);
    this.#stateFile = stateFile;
    this.#log = log;
    this.#changes = changes;
    this.#state = state;
    const isDescribed = found !== null && found.datasets.length === state.datasets.length;
    this.#described = isDescribed ? found : { columns: [], keys: [], names: null };
    this.#lastAt = Math.max(state.readAt ?? 0, log?.lastAt ?? 0, changes?.lastAt ?? 0);
    const hasSnapshot = placesOf(options).some(({ kind }) => kind === 'snapshot');
    const rows = hasSnapshot ? csvFile(dataDir, name) : baselineFile(dataDir, name);
    const deleted = deletedFile(dataDir, name);
    this.#baseline = hasSnapshot || options.changes ? new Baseline({ rows, deleted }, files) : null;
    const description = `What the latest poll of ${source} found.`;
    this.#snapshot = hasSnapshot ? new SnapshotDataset({ name, source, description, health }) : null;
  }

  /** Opens what the volume has of this source, finishing or undoing what was interrupted. */
  static async open(options: RecorderOptions): Promise<TableRecorder> {
    const stateFile = stateFileOf(options.dataDir, options.name, options.files);
    const opened = await openTable(stateFile, options);
    const recorder = new TableRecorder(options, stateFile, opened);
    try {
      await recorder.#open();
    } catch (error) {
      await Promise.allSettled([opened.log?.close(), opened.changes?.close()]);
      throw error;
    }
    if (opened.found !== null) warnAboutGap(opened.found, opened.changes, options);
    return recorder;
  }

  /** Snapshot or log first, then what else there is. */
  get datasets(): readonly Relation[] {
    return [this.#snapshot, this.#log, this.#changes].filter((dataset) => dataset !== null);
  }

  get log(): AppendedDataset | null {
    return this.#log;
  }

  get changes(): AppendedDataset | null {
    return this.#changes;
  }

  /** The table's own columns known so far, for the source. */
  get known(): readonly Column[] {
    return this.#state.columns;
  }

  /**
   * Records one poll. `startedAt`: when it began, in milliseconds; the clock may have gone back, the poll's time does
   * not. Never rejects because of the disk: what could not be written is in `problems`, and readers see the new
   * snapshot all the same.
   */
  async record(reading: Reading, startedAt: number): Promise<Recorded> {
    const poll = await this.#prepare(reading, startedAt);
    if (this.#log !== null || this.#changes !== null) this.#clockWatch.recorded(poll.at, startedAt);
    return this.#write(poll);
  }

  /**
   * Records polls of the past, oldest first, many in one write: what a simulation or an import brings. Rejects with
   * `NOT_PERSISTED` when the volume does not take them.
   */
  async recordPast(polls: AsyncIterable<PastPoll> | Iterable<PastPoll>): Promise<void> {
    let gathered: Poll[] = [];
    let weight = 0;
    const flush = async () => {
      if (gathered.length > 0) await this.#writePast(joinPolls(gathered));
      gathered = [];
      weight = 0;
    };
    for await (const { reading, at } of polls) {
      const poll = await this.#prepare(reading, at);
      if (poll.isNewLayout || weight > PAST_BATCH) await flush();
      if (this.#baseline !== null) this.#baseline.rows = poll.rows;
      await this.#baseline?.track(poll.compared?.differences ?? [], this.#keyCount);
      this.#update({ comparedAt: poll.at });
      gathered.push(poll);
      weight += (poll.logged?.body.length ?? 0) + (poll.compared?.rows.body.length ?? 0);
    }
    await flush();
  }

  async #writePast(poll: Poll): Promise<void> {
    const { problems } = await this.#write(poll);
    if (problems[0] === undefined) return;
    // The baseline went ahead of the volume: what comes next is compared with what the volume has.
    this.#baseline?.clear();
    this.#update({ comparedAt: this.#state.readAt });
    await this.#restoreBaseline();
    throw problems[0];
  }

  /** Works out what a poll adds, and writes nothing. */
  async #prepare(reading: Reading, startedAt: number): Promise<Poll> {
    const at = Math.max(startedAt, this.#lastAt + 1);
    this.#lastAt = at;
    const { rows, isNewLayout } = await this.#layOut(reading, at);
    const problems: DynamoCsvError[] = [];
    const isReady = await this.#attempt(problems, () => this.#learnFromLog());
    return {
      at,
      readAt: startedAt,
      rows,
      isNewLayout,
      logged: this.#log === null ? null : await this.#withTime(rows, at),
      compared: this.#changes === null || !isReady ? null : await this.#compare(rows, at),
      problems,
    };
  }

  async #withTime(rows: EncodedRows, at: number): Promise<EncodedRows> {
    const column = timeColumn(this.#addedNames.timestamp);
    const time = isoTime(at);
    return concatRows(await inSlices(rows, (part) => withColumn(part, column, time)));
  }

  async #write(poll: Poll): Promise<Recorded> {
    const { at, rows, compared, problems } = poll;
    const isKept = await this.#append(poll);
    const bytes = await this.#replace(poll, isKept);
    this.#options.health.readAt = poll.readAt;
    return { at, rows: rows.ends.length, bytes, changes: compared?.rows.ends.length ?? null, problems };
  }

  /** Closes the files. No poll may be running. */
  async close(): Promise<void> {
    await this.#log?.close();
    await this.#changes?.close();
  }

  get #addedNames(): AddedNames {
    if (this.#state.names === null) throw new TypeError('no poll was recorded yet');
    return this.#state.names;
  }

  get #keyCount(): number {
    return this.#state.keys.length;
  }

  /** Columns of the changes as they are laid out now. */
  get #changesColumns(): Column[] {
    return changesColumns(this.#state.columns, this.#keyCount, this.#addedNames);
  }

  #update(state: Partial<TableState>): void {
    this.#state = { ...this.#state, ...state };
  }

  /** Brings a reading into the table's layout, and all that it is compared with too. */
  async #layOut(reading: Reading, at: number): Promise<{ rows: EncodedRows; isNewLayout: boolean }> {
    const before = this.#state;
    const { layout, rows } = await layOut(reading, before, this.#options);
    if (hasOtherKeys(before, layout)) {
      const { logger, name } = this.#options;
      const keys = { before: before.keys, now: layout.keys };
      logger.warn({ dataset: name, ...keys }, 'the key schema changed: all items count as new');
      this.#baseline?.clear();
      this.#update({ keysSince: at });
    }
    const isNewLayout = !sameColumns(before.columns, layout.columns);
    if (isNewLayout) await this.#baseline?.layOut(layout.columns);
    this.#update(layout);
    return { rows, isNewLayout };
  }

  /** Changes that are kept from now on begin with those that the log of the past tells of. */
  async #learnFromLog(): Promise<void> {
    if (this.#log === null || this.#changes === null) return;
    if (this.#changes.isEmpty && this.#log.lastAt >= Math.max(1, this.#state.keysSince ?? 0))
      await this.#readChangesOff(this.#log, this.#changes);
    this.#log.neededAfter = Number.POSITIVE_INFINITY;
  }

  async #readChangesOff(log: AppendedDataset, changes: AppendedDataset): Promise<void> {
    const { logger } = this.#options;
    const { keys, keysSince } = this.#state;
    const { timestamp } = this.#addedNames;
    await this.#writeState();
    await log.layOut(logColumns(this.#state.columns, this.#addedNames), keys, timestamp);
    const columns = this.#changesColumns;
    logger.info({ dataset: changes.name, rows: log.status().rows }, 'reading the changes off the log');
    const baseline = this.#baseline as Baseline;
    const comparable = rowsAfter(await log.rows(), (keysSince ?? 0) - 1);
    const past = await changesOfLog(comparable, this.#state.columns, keys.length, columns, baseline);
    // The baseline first: interrupted before the changes are there, all of this is done again.
    await baseline.write(encodeFile(baseline.rows as EncodedRows));
    this.#update({ readAt: past.at, comparedAt: past.at });
    this.#haveSnapshotOf(past.at);
    await this.#writeState();
    await changes.layOut(columns, keys, timestamp);
    await changes.fill(past.rows, past.at);
    logger.info({ dataset: changes.name, rows: past.rows.ends.length }, 'read the changes off the log');
  }

  async #compare(rows: EncodedRows, at: number): Promise<Compared> {
    const baseline = this.#baseline as Baseline;
    const keyCount = this.#keyCount;
    const differences = await diffRows(baseline.rows ?? noRows(this.#state.columns), rows, keyCount);
    const since = baseline.rows === null ? null : this.#state.comparedAt;
    return {
      differences,
      rows: await changeRows(differences, keyCount, this.#changesColumns, baseline.deleted, since, at),
    };
  }

  /**
   * Appends to changes and to the log. False when the poll is not on the volume, so that the next one has to be
   * compared with the one before: its changes are missing or, where none are kept, its rows in the log.
   */
  async #append(poll: Poll): Promise<boolean> {
    const { at, logged, compared, problems } = poll;
    const isDescribed =
      isSameLayout(this.#described, this.#state) || (await this.#attempt(problems, () => this.#writeState()));
    const keeps = async (dataset: AppendedDataset | null, rows: EncodedRows | null) => {
      const isKept =
        isDescribed &&
        (dataset === null ||
          (rows !== null && (await this.#attempt(problems, () => this.#appendTo(dataset, rows, at)))));
      dataset?.markPersisted(isKept);
      return isKept;
    };
    const isChangesKept = await keeps(this.#changes, compared?.rows ?? null);
    const isLogged = await keeps(this.#log, logged);
    return isChangesKept && (isLogged || this.#baseline !== null);
  }

  async #appendTo(dataset: AppendedDataset, rows: EncodedRows, at: number): Promise<void> {
    await dataset.layOut(rows.columns, this.#state.keys, this.#addedNames.timestamp);
    await dataset.append(rows, at);
  }

  /** Shows the new items to readers and replaces the file they stand in. Returns their size in bytes. */
  async #replace(poll: Poll, isKept: boolean): Promise<number> {
    const { rows, at, problems } = poll;
    const bytes = encodeFile(rows);
    await this.#snapshot?.show(bytes, rows, this.#state.keys, at);
    if (!isKept) {
      this.#snapshot?.markPersisted(false);
      return bytes.length;
    }
    const baseline = this.#baseline;
    let isReplaced = true;
    if (baseline !== null) {
      baseline.rows = { ...rows, body: bytes.subarray(bytes.length - rows.body.length) };
      await baseline.track(poll.compared?.differences ?? [], this.#keyCount);
      isReplaced = await this.#attempt(problems, () => baseline.write(bytes));
      this.#snapshot?.markPersisted(isReplaced);
    }
    this.#update({ readAt: at, ...(baseline === null ? {} : { comparedAt: at }) });
    if (isReplaced && baseline !== null) this.#haveSnapshotOf(at);
    await this.#attempt(problems, () => this.#writeState());
    return bytes.length;
  }

  /** The baseline's file has the items of that poll: changes after it are needed to redo them. */
  #haveSnapshotOf(at: number | null): void {
    this.#update({ snapshotAt: at });
    if (this.#changes !== null) this.#changes.neededAfter = at ?? 0;
  }

  /** Does one step on the volume; what goes wrong joins the poll's problems, once per sentence. */
  async #attempt(problems: DynamoCsvError[], step: () => Promise<unknown>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      const problem = notPersisted(this.#options.name, error);
      if (!problems.some((known) => known.line === problem.line)) problems.push(problem);
      return false;
    }
  }

  async #writeState(): Promise<void> {
    const state = this.#state;
    await this.#stateFile.write(state);
    this.#described = state;
  }

  async #open(): Promise<void> {
    this.#haveSnapshotOf(this.#state.snapshotAt);
    // Nothing of a log is sealed before the changes were read off it.
    if (this.#log !== null && this.#changes?.isEmpty === true) this.#log.neededAfter = 0;
    const modifiedAt = await this.#restoreBaseline();
    const { readAt, comparedAt } = this.#state;
    const snapshotReadAt = this.#snapshot?.version === null ? null : (comparedAt ?? modifiedAt);
    this.#options.health.readAt = this.#snapshot === null ? (readAt ?? modifiedAt) : snapshotReadAt;
  }

  /** Returns when the baseline's file was last replaced, in milliseconds since the epoch; null without one. */
  async #restoreBaseline(): Promise<number | null> {
    const baseline = this.#baseline;
    if (baseline === null) return null;
    const { rows, modifiedAt } = await restoreBaseline(baseline, this.#state, this.#changes);
    if (rows === null) return modifiedAt;
    const { columns, keys, comparedAt } = this.#state;
    if (columns.length === 0) this.#update({ columns: rows.columns });
    await this.#snapshot?.show(encodeFile(rows), rows, keys, comparedAt ?? modifiedAt ?? 0);
    return modifiedAt;
  }
}
