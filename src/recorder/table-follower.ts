import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Relation, SealedDay } from '../datasets/relation.js';
import { type FileState, type Files, isSameState } from '../volume/files.js';
import { csvFile } from '../volume/layout.js';
import { AppendedFollower, type FollowedRows } from './appended-follower.js';
import { describe, shownSource } from './descriptions.js';
import { timesOf } from './item-times.js';
import type { ReportedTable } from './poll-report.js';
import { type Place, placesOf, type RecorderOptions } from './recorder-options.js';
import { SnapshotDataset } from './snapshot-dataset.js';
import { type FoundItems, SnapshotFollower } from './snapshot-follower.js';
import { stateFileOf, type TableState, type TableStateFile } from './table-state.js';

export interface TableFollowerOptions extends RecorderOptions {
  readonly now: () => number;
  /** Milliseconds that pass between two looks at least: the data is not older than it should be before; default 0. */
  readonly shortestInterval?: number;
  /** The sealed days that belong to the rows of a log or of changes. */
  readonly daysFor: (rows: FollowedRows) => Promise<readonly SealedDay[]>;
  /** Where the sealed days of a dataset are; its time changes when days come or go. */
  readonly historyOf: (dataset: string) => string;
}

/**
 * A table that another process records: its datasets, read-only, without a lock, and in whole polls. The state file is
 * read first; what it commits is shown once all files have it.
 */
export class TableFollower {
  readonly name: string;
  readonly health: PollHealth;
  readonly #options: TableFollowerOptions;
  readonly #stateFile: TableStateFile;
  readonly #snapshot: SnapshotFollower | null;
  readonly #appended: readonly AppendedFollower[];
  readonly datasets: readonly Relation[];
  /** The state file as it was when everything in it was shown. */
  #seen: FileState | null = null;
  /** The state that is shown. */
  #state: TableState | null = null;
  /** By path: the files of log and changes, and the folders of their days, as they were. */
  readonly #marks = new Map<string, string>();
  #failed: string | null = null;

  constructor(options: TableFollowerOptions) {
    const { name, dataDir, files, health, optionsAt } = options;
    const facts = { source: shownSource(options), health };
    const places = placesOf(options);
    const hasSnapshot = places.some(({ kind }) => kind === 'snapshot');
    const times = timesOf(options);
    const description = describe('snapshot', options);
    this.name = name;
    this.health = health;
    this.#options = options;
    this.#stateFile = stateFileOf(dataDir, name, files);
    this.#snapshot = hasSnapshot
      ? new SnapshotFollower(
          new SnapshotDataset({ ...facts, name, description, times, optionsAt }),
          dataDir,
          files,
        )
      : null;
    this.#appended = places.filter(isAppended).map(
      (place) =>
        new AppendedFollower({
          ...facts,
          place,
          name,
          dataDir,
          files,
          description: describe(place.kind, options),
          daysFor: options.daysFor,
        }),
    );
    const snapshots = this.#snapshot === null ? [] : [this.#snapshot.dataset];
    this.datasets = [...snapshots, ...this.#appended];
  }

  /**
   * Shows what was committed since. Resolves to whether that is everything that the state file commits; false: ask again
   * soon. Never rejects: what could not be read is the datasets' last error.
   */
  async refresh(reported: ReportedTable | undefined): Promise<boolean> {
    try {
      const isWhole = await this.#refresh();
      if (isWhole) await this.#lookAtFiles();
      this.#worked();
      this.#report(reported);
      return isWhole;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Looks again which days of that dataset are sealed, if it is one of its own. */
  async lookAtDays(name: string): Promise<void> {
    for (const dataset of this.#appended.filter((one) => one.name === name)) await dataset.lookAtDays();
  }

  /** Whether that is the file of a sealed day of one of its datasets. */
  reads(path: string): boolean {
    return this.#appended.some(({ sealedDays }) => sealedDays.some(({ paths }) => paths.includes(path)));
  }

  /** Shows a sealed day of one of its datasets as missing. */
  missesDay(name: string, date: string, missing: string): void {
    for (const dataset of this.#appended.filter((one) => one.name === name))
      dataset.sealedDays = dataset.sealedDays.map((day) => (day.date === date ? { ...day, missing } : day));
  }

  async close(): Promise<void> {
    for (const dataset of this.#appended) await dataset.close();
  }

  async #refresh(): Promise<boolean> {
    const { files } = this.#options;
    const there = await statNow(this.#stateFile.path, files);
    if (isSameState(there, this.#seen)) return true;
    const state = there === null ? null : await this.#stateFile.read();
    if (state === null || state.readAt === null) {
      // A layout without a poll.
      this.#seen = there;
      return true;
    }
    if (this.#state === null) await this.#noteFiles();
    const isWhole = await this.#show(state);
    this.#state = state;
    if (isWhole) this.#seen = there;
    return isWhole;
  }

  /** Shows the poll that a state commits. False: its items are not in their file yet. */
  async #show(state: TableState): Promise<boolean> {
    const snapshot = this.#snapshot;
    const found: FoundItems | 'waiting' | null = snapshot === null ? null : await snapshot.find(state);
    if (found === 'waiting') return false;
    for (const dataset of this.#appended) await dataset.follow(state);
    const changes = this.#appended.find(({ kind }) => kind === 'changes');
    const changesSince = changes === undefined ? null : (instant: number) => changes.rowsSince(instant);
    this.health.readAt = state.readAt;
    return (await snapshot?.show(found, state, changesSince)) ?? true;
  }

  /** Between polls a file may be replaced by one without the days that were sealed, and days come and go. */
  async #lookAtFiles(): Promise<void> {
    const { dataDir, historyOf } = this.#options;
    for (const dataset of this.#appended) {
      await this.#ifChanged(csvFile(dataDir, dataset.name), async () => {
        if (this.#state !== null) await dataset.follow(this.#state);
      });
      await this.#ifChanged(historyOf(dataset.name), () => dataset.lookAtDays());
    }
  }

  /** Before they are read. */
  async #noteFiles(): Promise<void> {
    const { dataDir, historyOf } = this.#options;
    for (const { name } of this.#appended)
      for (const path of [csvFile(dataDir, name), historyOf(name)])
        this.#marks.set(path, await this.#markOf(path));
  }

  /** What a change asks for is done again at the next look if it fails. */
  async #ifChanged(path: string, work: () => Promise<void>): Promise<void> {
    const mark = await this.#markOf(path);
    const before = this.#marks.get(path);
    if (before !== undefined && before !== mark) await work();
    this.#marks.set(path, mark);
  }

  async #markOf(path: string): Promise<string> {
    const state = await this.#options.files.stat(path);
    // A file that grows is the state's matter.
    return state === null ? '' : state.isFile ? String(state.id) : `${state.id} ${state.modifiedAt}`;
  }

  /** What the files do not say. */
  #report(reported: ReportedTable | undefined): void {
    if (reported === undefined) return;
    const { health } = this;
    const { shortestInterval = 0 } = this.#options;
    health.interval = reported.interval === null ? null : Math.max(reported.interval, shortestInterval);
    health.lastError = reported.lastError;
    health.exceptions = reported.exceptions;
    const isWhole = this.#appended.length > 0;
    if (isWhole && reported.readAt !== null && reported.readAt > (health.readAt ?? 0)) {
      health.readAt = reported.readAt;
      this.#snapshot?.dataset.seen(reported.readAt);
    }
    const { readAt, interval } = health;
    health.nextPollAt = readAt === null || interval === null ? null : readAt + interval;
  }

  #worked(): void {
    if (this.#failed === null) return;
    this.#options.logger.info({ dataset: this.name }, 'its files are followed again');
    this.#failed = null;
    this.health.lastError = null;
  }

  #fail(error: unknown): void {
    const message = describeError(error);
    const code = error instanceof DynamoCsvError ? error.code : 'NOT_FOLLOWED';
    if (message !== this.#failed)
      this.#options.logger.warn({ dataset: this.name, code }, `its files cannot be followed: ${message}`);
    this.#failed = message;
    this.health.lastError = { code, message, at: this.#options.now() };
  }
}

function isAppended(place: Place): place is Place & { readonly kind: 'log' | 'changes' } {
  return place.kind !== 'snapshot';
}

/** The file as it is now: network file systems show the attributes of a closed one as they were a while ago. */
async function statNow(path: string, files: Files): Promise<FileState | null> {
  const file = await files.open(path, 'r').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  });
  try {
    return (await file?.stat()) ?? null;
  } finally {
    await file?.close();
  }
}
