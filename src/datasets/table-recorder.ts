import { join } from 'node:path';
import { isoTime } from '../base/clock.js';
import { DynamoCsvError, describeError, notPersisted } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { OWN_FOLDER } from '../csv/append-journal.js';
import { mergeColumns, sameColumns } from '../csv/columns.js';
import { noRows } from '../csv/encode.js';
import type { Files } from '../csv/files.js';
import { concatRows, inTurns, relayoutInTurns, withColumn } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { Reading } from '../csv/source.js';
import { type AppendedDataset, rowsAfter } from './appended-dataset.js';
import { Baseline } from './baseline.js';
import { changeRows } from './change-rows.js';
import { changesOfLog } from './changes-of-log.js';
import { ClockWatch } from './clock-watch.js';
import {
  type AddedNames,
  avoidAddedNames,
  changesColumns,
  chooseAddedNames,
  logColumns,
  TIMESTAMP,
  timeColumn,
} from './column-names.js';
import { diffRows } from './diff.js';
import { keptNames, tellOfGap } from './earlier-configuration.js';
import type { PollHealth } from './freshness.js';
import { hiddenBaselineOf, makeWay } from './make-way.js';
import { type Layout, openAppended } from './open-appended.js';
import { type Compared, joinPolls, type PastPoll, type Poll } from './poll.js';
import type { Relation } from './relation.js';
import { SnapshotDataset, wholeFile } from './snapshot-dataset.js';
import { stateFileOf, type TableState, type TableStateFile } from './table-state.js';

/** Bytes of past polls that are gathered before they are written. */
const PAST_BATCH = 4 * 1024 * 1024;

export interface RecorderOptions {
  /** Published name; `<name>.csv` is its file. */
  readonly name: string;
  /** The source's title, for people. */
  readonly source: string;
  readonly dataDir: string;
  readonly files: Files;
  readonly health: PollHealth;
  readonly logger: Logger;
  /** Keep every poll's rows instead of the latest poll's only. */
  readonly log: boolean;
  /** Name of the log beside the snapshot; null: the log takes the place of the snapshot under `name`. */
  readonly logName?: string;
  /** Keep `<name>-changes` too. */
  readonly changes: boolean;
  /** Columns that exist before a value was seen, in this order behind the keys. */
  readonly configured: readonly string[];
  /** Name of the added time column, null for `timestamp`. */
  readonly timestampColumn: string | null;
}

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
  #log: AppendedDataset | null = null;
  #changes: AppendedDataset | null = null;
  #columns: readonly Column[] = [];
  #keys: readonly string[] = [];
  #names: AddedNames | null = null;
  /** What the state file says of the layout: rows of another one are not written before it says so. */
  #described: Layout = { columns: [], keys: [], names: null };
  /** The latest poll's time, whatever became of it. */
  #lastAt = 0;
  /** The latest poll that the volume has whole. */
  #recordedAt: number | null = null;
  /** The poll whose items the baseline has in memory: what changed, changed since. */
  #comparedAt: number | null = null;
  /** The poll whose items stand in the baseline's file. */
  #snapshotAt: number | null = null;
  /** The first poll with the present keys, where there were others before. */
  #keysSince: number | null = null;
  /** Every name that this source's datasets ever had here. */
  #published: readonly string[] = [];

  private constructor(options: RecorderOptions) {
    const { name, dataDir, files } = options;
    this.#options = options;
    this.#clockWatch = new ClockWatch(name, options.logger);
    this.#stateFile = stateFileOf(dataDir, name, files);
    const replaced = options.log && options.logName === undefined;
    const needsBaseline = !replaced || options.changes;
    this.#baseline = needsBaseline
      ? new Baseline(
          {
            rows: replaced ? hiddenBaselineOf(dataDir, name) : join(dataDir, `${name}.csv`),
            deleted: join(dataDir, OWN_FOLDER, `${name}.deleted.csv`),
          },
          files,
        )
      : null;
    this.#snapshot = replaced
      ? null
      : new SnapshotDataset({
          name,
          source: options.source,
          description: `What the latest poll of ${options.source} found.`,
          health: options.health,
        });
  }

  /** Opens what the volume has of this source, finishing or undoing what was interrupted. */
  static async open(options: RecorderOptions): Promise<TableRecorder> {
    const recorder = new TableRecorder(options);
    try {
      await recorder.#open();
    } catch (error) {
      await Promise.allSettled([recorder.#log?.close(), recorder.#changes?.close()]);
      throw error;
    }
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
    return this.#columns;
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
      await this.#baseline?.track(poll.compared?.differences ?? [], this.#keys.length);
      this.#comparedAt = poll.at;
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
    await this.#openBaseline(this.#recordedAt);
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
    return concatRows(await inTurns(rows, (part) => withColumn(part, column, time)));
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
    if (this.#names === null) throw new TypeError('no poll was recorded yet');
    return this.#names;
  }

  /** Brings a reading into the table's layout: every column ever seen, at its place. */
  async #layOut(reading: Reading, at: number): Promise<{ rows: EncodedRows; isNewLayout: boolean }> {
    const { configured, logger, name } = this.#options;
    if (this.#keys.length > 0 && this.#keys.join() !== reading.keys.join()) {
      logger.warn(
        { dataset: name, before: this.#keys, now: reading.keys },
        'the key schema changed: all items count as new',
      );
      this.#baseline?.clear();
      this.#keysSince = at;
    }
    this.#keys = reading.keys;
    if (this.#log !== null || this.#changes !== null) {
      this.#names ??= this.#chooseNames([...this.#columns, ...reading.rows.columns]);
    }
    const found = this.#names === null ? reading.rows : avoidAddedNames(reading.rows, this.#names);
    const columns = mergeColumns(this.#columns, found.columns, { keys: reading.keys, configured });
    const isNewLayout = !sameColumns(this.#columns, columns);
    if (isNewLayout) await this.#baseline?.layOut(columns);
    this.#columns = columns;
    return { rows: { ...(await relayoutInTurns(found, columns)), columns }, isNewLayout };
  }

  #chooseNames(columns: readonly Column[]): AddedNames {
    const { timestampColumn, logger, name } = this.#options;
    const names = chooseAddedNames(columns, timestampColumn);
    if (timestampColumn === null && names.timestamp !== TIMESTAMP) {
      logger.warn(
        { dataset: name, column: names.timestamp },
        `the table has an attribute "${TIMESTAMP}" itself: the poll's time is in column "${names.timestamp}"; set timestampColumn to choose its name`,
      );
    }
    return names;
  }

  /** Changes that are kept from now on begin with those that the log of the past tells of. */
  async #learnFromLog(): Promise<void> {
    if (this.#log === null || this.#changes === null) return;
    if (this.#changes.isEmpty && this.#log.lastAt >= Math.max(1, this.#keysSince ?? 0))
      await this.#readChangesOff(this.#log, this.#changes);
    this.#log.neededAfter = Number.POSITIVE_INFINITY;
  }

  async #readChangesOff(log: AppendedDataset, changes: AppendedDataset): Promise<void> {
    const { logger } = this.#options;
    const { timestamp } = this.#addedNames;
    await this.#writeState();
    await log.layOut(logColumns(this.#columns, this.#addedNames), this.#keys, timestamp);
    const keyCount = this.#keys.length;
    const columns = changesColumns(this.#columns, keyCount, this.#addedNames);
    logger.info({ dataset: changes.name, rows: log.status().rows }, 'reading the changes off the log');
    const baseline = this.#baseline as Baseline;
    const comparable = rowsAfter(await log.rows(), (this.#keysSince ?? 0) - 1);
    const past = await changesOfLog(comparable, this.#columns, keyCount, columns, baseline);
    // The baseline first: interrupted before the changes are there, all of this is done again.
    await baseline.write(wholeFile(baseline.rows as EncodedRows));
    this.#recordedAt = past.at;
    this.#comparedAt = past.at;
    this.#haveSnapshotOf(past.at);
    await this.#writeState();
    await changes.layOut(columns, this.#keys, timestamp);
    await changes.fill(past.rows, past.at);
    logger.info({ dataset: changes.name, rows: past.rows.ends.length }, 'read the changes off the log');
  }

  async #compare(rows: EncodedRows, at: number): Promise<Compared> {
    const baseline = this.#baseline as Baseline;
    const keyCount = this.#keys.length;
    const differences = await diffRows(baseline.rows ?? noRows(this.#columns), rows, keyCount);
    const columns = changesColumns(this.#columns, keyCount, this.#addedNames);
    const since = baseline.rows === null ? null : this.#comparedAt;
    return {
      differences,
      rows: await changeRows(differences, keyCount, columns, baseline.deleted, since, at),
    };
  }

  /**
   * Appends to changes and to the log. False when the poll is not on the volume, so that the next one has to be
   * compared with the one before: its changes are missing or, where none are kept, its rows in the log.
   */
  async #append(poll: Poll): Promise<boolean> {
    const { at, logged, compared, problems } = poll;
    const isDescribed = this.#isDescribed() || (await this.#attempt(problems, () => this.#writeState()));
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

  #isDescribed(): boolean {
    const { columns, keys, names } = this.#described;
    const isSame = keys.join() === this.#keys.join() && names?.timestamp === this.#names?.timestamp;
    return isSame && sameColumns(columns, this.#columns);
  }

  async #appendTo(dataset: AppendedDataset, rows: EncodedRows, at: number): Promise<void> {
    await dataset.layOut(rows.columns, this.#keys, this.#addedNames.timestamp);
    await dataset.append(rows, at);
  }

  /** Shows the new items to readers and replaces the file they stand in. Returns their size in bytes. */
  async #replace(poll: Poll, isKept: boolean): Promise<number> {
    const { rows, at, problems } = poll;
    const bytes = wholeFile(rows);
    await this.#snapshot?.show(bytes, rows, this.#keys, at);
    if (!isKept) {
      this.#snapshot?.markPersisted(false);
      return bytes.length;
    }
    const baseline = this.#baseline;
    let isReplaced = true;
    if (baseline !== null) {
      baseline.rows = { ...rows, body: bytes.subarray(bytes.length - rows.body.length) };
      await baseline.track(poll.compared?.differences ?? [], this.#keys.length);
      isReplaced = await this.#attempt(problems, () => baseline.write(bytes));
      this.#snapshot?.markPersisted(isReplaced);
    }
    this.#recordedAt = at;
    if (baseline !== null) this.#comparedAt = at;
    if (isReplaced && baseline !== null) this.#haveSnapshotOf(at);
    await this.#attempt(problems, () => this.#writeState());
    return bytes.length;
  }

  /** The baseline's file has the items of that poll: changes after it are needed to redo them. */
  #haveSnapshotOf(at: number | null): void {
    this.#snapshotAt = at;
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
    const described = { columns: this.#columns, keys: this.#keys, names: this.#names };
    await this.#stateFile.write({
      format: 1,
      ...described,
      readAt: this.#recordedAt,
      snapshotAt: this.#snapshotAt,
      comparedAt: this.#comparedAt,
      keysSince: this.#keysSince,
      changes: this.#options.changes,
      source: this.#options.source,
      datasets: this.#published,
    });
    this.#described = described;
  }

  async #open(): Promise<void> {
    const state = await this.#readState();
    await this.#makeWay(state);
    this.#columns = state?.columns ?? [];
    this.#keys = state?.keys ?? [];
    this.#names = await keptNames(state, this.#options);
    this.#snapshotAt = state?.snapshotAt ?? null;
    this.#keysSince = state?.keysSince ?? null;
    if (this.#published.length === state?.datasets.length)
      this.#described = { columns: this.#columns, keys: this.#keys, names: state.names };
    if (this.#options.log) this.#log = await this.#openAppended('log');
    if (this.#options.changes) this.#changes = await this.#openAppended('changes');
    this.#haveSnapshotOf(this.#snapshotAt);
    // Nothing of a log is sealed before the changes were read off it.
    if (this.#log !== null && this.#changes?.isEmpty === true) this.#log.neededAfter = 0;
    if (this.#columns.length === 0 && this.#log?.columns) this.#columns = this.#log.columns.slice(0, -1);
    const appendedAt = this.#changes?.lastAt ?? this.#log?.lastAt;
    this.#recordedAt = latest(state?.readAt, appendedAt);
    const modifiedAt = await this.#openBaseline(
      state === null ? this.#recordedAt : latest(state.comparedAt, this.#changes?.lastAt),
    );
    this.#lastAt = Math.max(this.#recordedAt ?? 0, this.#log?.lastAt ?? 0, this.#changes?.lastAt ?? 0);
    const snapshotReadAt = this.#snapshot?.version === null ? null : (this.#comparedAt ?? modifiedAt);
    this.#options.health.readAt = this.#snapshot === null ? (this.#recordedAt ?? modifiedAt) : snapshotReadAt;
    if (state !== null) tellOfGap(state, this.#changes, this.#options);
  }

  /** What was recorded under our names and is something else now moves out of the way. */
  async #makeWay(state: TableState | null): Promise<void> {
    const { name, logName, log, changes, dataDir } = this.#options;
    const places = [
      ...(this.#snapshot === null ? [] : [{ dataset: name, kind: 'snapshot' as const }]),
      ...(log ? [{ dataset: logName ?? name, kind: 'log' as const }] : []),
      ...(changes ? [{ dataset: `${name}-changes`, kind: 'changes' as const }] : []),
    ];
    this.#published = [...new Set([...(state?.datasets ?? []), ...places.map(({ dataset }) => dataset)])];
    const hiddenBaseline = hiddenBaselineOf(dataDir, name);
    await makeWay(state, { ...this.#options, places, hiddenBaseline });
  }

  async #readState(): Promise<TableState | null> {
    try {
      return await this.#stateFile.read();
    } catch (error) {
      if (!(error instanceof DynamoCsvError) || error.code !== 'STATE_UNREADABLE') throw error;
      this.#options.logger.warn({ dataset: this.#options.name }, describeError(error));
      return null;
    }
  }

  #openAppended(kind: 'log' | 'changes'): Promise<AppendedDataset> {
    return openAppended(
      kind,
      { columns: this.#columns, keys: this.#keys, names: this.#names },
      this.#options,
    );
  }

  /** Returns when the baseline's file was last replaced, in milliseconds since the epoch; null without one. */
  async #openBaseline(comparedAt: number | null): Promise<number | null> {
    this.#comparedAt = comparedAt;
    const baseline = this.#baseline;
    if (baseline === null) return null;
    const modifiedAt = await baseline.load(this.#columns, this.#keys.length);
    if (this.#columns.length === 0) this.#columns = baseline.rows?.columns ?? [];
    const before = baseline.rows;
    const keysSince = this.#keysSince ?? 0;
    // A crash came between the first poll with other keys and its snapshot.
    if ((this.#snapshotAt ?? 0) < keysSince) baseline.clear();
    if (this.#changes !== null && this.#names !== null && this.#keys.length > 0) {
      const newer = rowsAfter(await this.#changes.rows(), Math.max(this.#snapshotAt ?? 0, keysSince - 1));
      const layout = changesColumns(this.#columns, this.#keys.length, this.#names);
      baseline.redo(newer, layout, this.#columns, this.#keys.length);
    }
    const rows = baseline.rows ?? before;
    if (rows !== null) {
      await this.#snapshot?.show(wholeFile(rows), rows, this.#keys, comparedAt ?? modifiedAt ?? 0);
    }
    return modifiedAt;
  }
}

/** The later of two times that may not be known (undefined, or 0 for a file without rows). */
function latest(a: number | null | undefined, b: number | undefined): number | null {
  return Math.max(a ?? 0, b ?? 0) || null;
}
