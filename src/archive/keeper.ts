import { join } from 'node:path';
import { isoTime } from '../base/clock.js';
import { type DynamoCsvError, describeError } from '../base/errors.js';
import { ArchivedDays, type DescribedDay } from '../history/archived-days.js';
import type { HistoryStore } from '../history/store.js';
import { type DayPath, movedAsOne, takenOverFolder } from '../volume/layout.js';
import { moveAside } from '../volume/write.js';
import { Archive } from './archive.js';
import {
  type ArchivedHistory,
  type ArchivedHistoryOptions,
  type DescribeDay,
  openHistory,
} from './archived-history.js';
import { archiveLost, otherArchive, otherHistory } from './errors.js';
import { archivedPaths, type FolderMark, readMark, writeMark } from './folder.js';
import { ArchiveLease, type Holder, LEASE_TIME, RENEWAL } from './lease.js';
import { hashOfPoint, type Point, pointKey } from './point.js';
import { Pruner } from './prune.js';
import { type RestoreOptions, removeOthers, restorePoint } from './restore.js';
import { type ArchivedTable, isSameContent, PointTaker } from './take-point.js';

export interface KeeperOptions extends ArchivedHistoryOptions {
  readonly holder: Holder;
  /** Milliseconds between two points. */
  readonly every: number;
  /** The tables whose files change together, asked at each point. */
  readonly tables: () => Iterable<ArchivedTable>;
}

/** Copies of archived days on this machine. */
export interface CopiedDays {
  /** Bytes of fetched days that are here. */
  readonly cached: number;
  /** Bytes of days fetched since the start of the service. */
  readonly fetched: number;
  /** Days that the archive has lost or damaged, as far as somebody needed them. */
  readonly lost: readonly DayPath[];
}

/** How an archive is doing. */
export interface ArchiveStatus extends CopiedDays {
  readonly location: string;
  /** When the last point was taken that the archive has, in milliseconds since the epoch; null: there is none yet. */
  readonly archivedAt: number | null;
  /** Why the last attempt failed; null: it did not. */
  readonly error: DynamoCsvError | null;
  /** Bytes sent since the start of the service. */
  readonly bytes: number;
  /** Milliseconds between two points. */
  readonly every: number;
}

const PRUNING = 3_600_000;
/** Milliseconds for which the archive keeps a day that the last point does not name: services that follow may not have that point yet. */
const GONE_STANDS = 60_000;
/** Milliseconds between two lists of the points, for a service that follows: less than all points are kept for. */
const LISTING = 3_600_000;
/** Milliseconds between two points that go to moving days, at most. */
const MOVING = 20_000;

/** An archive that this service may write to. */
interface Held {
  readonly archive: Archive;
  readonly lease: ArchiveLease;
  readonly taker: PointTaker;
  readonly pruner: Pruner;
  last: Point | null;
  /** Days that retention removed from the folder, and when the first point was there without them. */
  readonly gone: Map<string, number>;
}

/**
 * Keeps a copy of the data folder in an archive: a point every `every` in which something changed. What fails is a
 * state with an age, and tried again; only a lease that another holder took ends it.
 */
export class ArchiveKeeper {
  readonly #options: KeeperOptions;
  #held: Held | null = null;
  #history: ArchivedHistory | null = null;
  /** What describes a sealed day; null: nothing yet. */
  #describe: DescribeDay | null = null;
  #archivedAt: number | null = null;
  #error: DynamoCsvError | null = null;
  #bytes = 0;
  #prunedAt = 0;
  /** Taken already, before there is anything to write. */
  #lease: ArchiveLease | null = null;
  /** The last point that a folder which follows has. */
  #followed: Pick<Point, 'number' | 'at'> | null = null;
  /** When it listed the points last, in milliseconds since the epoch. */
  #listedAt = 0;
  readonly #known = new Map<string, string>();
  #isWhole = true;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get status(): ArchiveStatus {
    const { objects, every } = this.#options;
    return {
      location: objects.location,
      every,
      archivedAt: this.#archivedAt,
      error: this.#error,
      bytes: this.#bytes,
      cached: this.#history?.cache.bytes ?? 0,
      fetched: this.#history?.fetches.bytes ?? 0,
      lost: this.#history?.fetches.lost ?? [],
    };
  }

  /** The sealed days, wherever they are. `describe`: asked about each new day before it is archived. */
  async store(describe: DescribeDay): Promise<HistoryStore> {
    this.#describe = describe;
    return (await this.#opened()).store;
  }

  /**
   * Makes the data folder and the archive one history before anything in the folder is opened: an empty folder, or one that
   * is behind, gets the archive's last point; what it had is moved to `taken-over/`. Without an answer from the archive a
   * folder with data is used as it is, and an empty one rejects. Rejects with `ARCHIVE_HELD`, or `ARCHIVE_OTHER_HISTORY`.
   */
  async prepare(signal: AbortSignal): Promise<void> {
    const { dataDir, logger } = this.#options;
    const hasData = (await archivedPaths(dataDir)).length > 0;
    try {
      this.#held = await this.#take(signal, true);
    } catch (error) {
      if (!hasData || isFinal(error)) throw error;
      this.#failed(error as DynamoCsvError);
      logger.warn('the archive does not answer: the service starts with the data folder as it is');
    }
    this.#history ??= await openHistory(this.#options);
  }

  /** Takes the lease if nobody holds it. Resolves to whether it has it; rejects as a request to the archive does. */
  async tryLease(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#takeLease(signal, -LEASE_TIME);
      return true;
    } catch (error) {
      if ((error as DynamoCsvError).code === 'ARCHIVE_HELD') return false;
      throw error;
    }
  }

  /** Takes the lease as soon as its holder is gone. Rejects as a request to the archive does, or with the signal's reason. */
  async awaitLease(signal: AbortSignal): Promise<void> {
    await this.#takeLease(signal, Number.POSITIVE_INFINITY);
  }

  async #takeLease(signal: AbortSignal, patience: number): Promise<void> {
    const { objects, holder, clock } = this.#options;
    this.#lease = await ArchiveLease.take(objects, holder, { clock, signal, patience });
  }

  /** Whether the folder has the state of one point: false while one is restored, and after that has failed half way. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** When the point was taken that the folder has, in milliseconds since the epoch; null: it follows none yet. */
  get followedAt(): number | null {
    return this.#followed === null ? null : Date.parse(this.#followed.at);
  }

  /**
   * Brings a folder that follows up to the last point, if there is a newer one. `write` runs what changes the folder. Rejects
   * as a request to the archive does, or with `ARCHIVE_OTHER_HISTORY`.
   */
  async follow(signal: AbortSignal, write: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
    const archive = await Archive.find(this.#options.objects);
    if (archive === null || !(await this.#hasNewer(archive))) return;
    const last = await archive.latest();
    if (last === null) return;
    await write(async () => {
      // Whoever collects by then has written more than the point has.
      signal.throwIfAborted();
      await this.#reconcile(archive, last, true, signal, true);
    });
    await this.#opened();
    this.#followed = last;
    this.#listedAt = this.#options.clock.now();
  }

  /** The history, with the copies that are here. */
  async #opened(): Promise<ArchivedHistory> {
    if (this.#history !== null) return this.#history;
    const history = await openHistory(this.#options);
    await history.adopt();
    this.#history = history;
    return history;
  }

  /** Asks for the next point only: listing them is what would cost something. After a long absence that one is gone. */
  async #hasNewer({ objects }: Archive): Promise<boolean> {
    const isLongAgo = Math.abs(this.#options.clock.now() - this.#listedAt) >= LISTING;
    if (this.#followed === null || isLongAgo) return true;
    return (await objects.get(pointKey(this.#followed.number + 1))) !== null;
  }

  /** Takes points and renews the lease until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#uploading(signal), this.#renewing(signal, () => this.#held?.lease)]);
  }

  /** Takes a last point, and gives up the lease. Never rejects. */
  async close(): Promise<void> {
    if (this.#held !== null && this.#error === null) await this.#attempt(AbortSignal.timeout(2_000));
    await (this.#held?.lease ?? this.#lease)?.release();
    this.#options.objects.close();
  }

  /** Gives up the lease without a last point: what the folder has now is another service's. Never rejects. */
  async abandon(): Promise<void> {
    await (this.#held?.lease ?? this.#lease)?.release();
    this.#options.objects.close();
  }

  async #uploading(signal: AbortSignal): Promise<void> {
    const { clock, every } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(every, signal).catch(() => undefined);
      if (signal.aborted || this.#error?.code === 'ARCHIVE_LOST') continue;
      await this.#attempt(signal);
      await this.#moveDays(signal);
    }
  }

  /** Not while a point is taken: a day is either in the folder or listed as archived when a point looks for it. */
  async #moveDays(signal: AbortSignal): Promise<void> {
    const last = this.#held?.last ?? null;
    if (last === null || this.#error !== null || signal.aborted) return;
    try {
      await this.#history?.mover.move(last, Math.min(this.#options.every, MOVING), signal);
    } catch (error) {
      if (!signal.aborted) this.#options.logger.warn(describeError(error));
    }
  }

  /** Keeps the lease while work takes its time: a folder with everything in it may be fetched. */
  async #renewingWhile(lease: ArchiveLease, work: () => Promise<void>): Promise<void> {
    const over = new AbortController();
    void this.#renewing(over.signal, () => lease);
    try {
      await work();
    } finally {
      over.abort();
    }
  }

  /** Never rejects. */
  async #renewing(signal: AbortSignal, lease: () => ArchiveLease | undefined): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(RENEWAL, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await lease()?.renew();
      } catch (error) {
        this.#failed(error as DynamoCsvError);
      }
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      this.#held ??= await this.#take(signal, false);
      await this.#upload(this.#held, signal);
      if (this.#error !== null) this.#options.logger.info('the archive answers again');
      this.#error = null;
    } catch (error) {
      if (!signal.aborted) this.#failed(error as DynamoCsvError);
    }
  }

  /** Each failure once, not at each attempt. */
  #failed(error: DynamoCsvError): void {
    if (this.#error?.code === 'ARCHIVE_LOST') return;
    if (this.#error?.message !== error.message)
      this.#options.logger.warn({ code: error.code }, describeError(error));
    this.#error = error;
  }

  async #take(signal: AbortSignal, mayRestore: boolean): Promise<Held> {
    const { objects, dataDir, files, holder, clock, logger } = this.#options;
    const archive = await this.#find();
    const lease =
      this.#lease ??
      (await ArchiveLease.take(objects, holder, {
        clock,
        signal,
        onHeld: (other) =>
          logger.info(
            { archive: archive.location, holder: other },
            `waiting for the archive's lease: it is free ${LEASE_TIME / 1_000} seconds after its holder renewed it last`,
          ),
      }));
    this.#lease = null;
    try {
      const last = await archive.latest();
      if (last !== null) archive.know(last);
      const reconcile = () => this.#reconcile(archive, last, mayRestore, signal);
      await (mayRestore ? this.#renewingWhile(lease, reconcile) : reconcile());
      this.#archivedAt = last === null ? null : Date.parse(last.at);
      logger.info({ archive: archive.location, point: last?.number ?? 0 }, 'writing to the archive');
      this.#history ??= await openHistory(this.#options);
      const taker = new PointTaker(archive, dataDir, files, this.#history.days);
      return { archive, lease, taker, pruner: new Pruner(archive), last, gone: new Map() };
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** Opens the archive, or begins one; not for a folder that belongs to another. */
  async #find(): Promise<Archive> {
    const { objects, dataDir, files } = this.#options;
    const found = await Archive.find(objects);
    if (found !== null) return found;
    const mark = await readMark(dataDir, files);
    if (mark !== null) throw otherArchive(dataDir, objects.location, mark, false);
    return Archive.open(objects);
  }

  /** Lets the folder have what the archive has, or refuses. */
  async #reconcile(
    archive: Archive,
    last: Point | null,
    mayRestore: boolean,
    signal: AbortSignal,
    isFollowing = false,
  ): Promise<void> {
    const { dataDir, files, logger } = this.#options;
    const mark = await readMark(dataDir, files);
    const paths = await archivedPaths(dataDir);
    if (mark !== null && mark.archive !== archive.id)
      throw otherArchive(dataDir, archive.location, mark, last !== null);
    if (last === null) return this.#begin(archive);
    if (mark === null && paths.length > 0) {
      const what = `the folder has ${paths.length} files and was never archived here, the archive has ${last.number} points`;
      throw otherHistory(dataDir, archive.location, what);
    }
    if (mark !== null && hasPoint(mark, last)) {
      // From here on it has more than the archive.
      if (mark.isFollowing === true && !isFollowing)
        await writeMark(dataDir, files, archive, { number: mark.number });
      return;
    }
    if (!mayRestore) {
      const what = 'another service wrote to the archive since; restart this one, and it goes on from there';
      throw otherHistory(dataDir, archive.location, what);
    }
    const isCopy = mark?.isRestoring === true || mark?.isFollowing === true;
    if (mark !== null && !isCopy) await this.#moveAside(paths, last);
    const facts = { archive: archive.location, point: last.number, at: last.at, files: last.files.length };
    const level = mark?.isFollowing === true ? 'debug' : 'info';
    logger[level](facts, 'restoring the data folder from the archive');
    this.#isWhole = false;
    // Sealed days stay where they are: they are fetched when they are needed, or in the background.
    await restorePoint(archive, last, dataDir, {
      files,
      signal,
      isFollowing,
      known: this.#known,
      comesAlong: () => false,
      ...this.#inUse(),
    });
    const cache = this.#history?.cache;
    const removeDay = cache === undefined ? undefined : (path: string) => cache.remove(path);
    if (isFollowing || isCopy) await removeOthers(last, dataDir, files, removeDay);
    this.#isWhole = true;
    logger[level](facts, 'restored the data folder from the archive');
  }

  /** An archive without a point gets the folder as it is: all of it has to be here. */
  async #begin(archive: Archive): Promise<void> {
    const { dataDir, files } = this.#options;
    const [elsewhere] = await ArchivedDays.open(dataDir, files);
    if (elsewhere !== undefined)
      throw otherHistory(
        dataDir,
        archive.location,
        `the folder has days in another archive only, such as ${elsewhere.path}`,
      );
    await writeMark(dataDir, files, archive, { number: 0 });
  }

  #inUse(): Pick<RestoreOptions, 'list'> {
    const history = this.#history;
    return history === null ? {} : { list: (days) => history.cache.replace(days) };
  }

  /** A folder that is behind may have polls that no point has: they are kept. */
  async #moveAside(paths: readonly string[], last: Point): Promise<void> {
    const { dataDir, files, clock, logger } = this.#options;
    const hashes = new Map(last.days.map(({ path, hash }) => [path, hash]));
    const listed = await ArchivedDays.open(dataDir, files);
    // The restored folder has these.
    await listed.drop([...listed].filter(({ path, hash }) => hashes.get(path) === hash));
    const folder = join(takenOverFolder(dataDir), `behind-${isoTime(clock.now()).replaceAll(':', '-')}`);
    await files.makeFolder(folder);
    const moved = paths.map(movedAsOne).filter((path) => path !== null);
    for (const path of new Set(moved)) await moveAside(files, join(dataDir, path), folder);
    const history = this.#history;
    for (const { path } of history?.days ?? []) history?.cache.forget(path);
    await history?.days.forgetMoved();
    logger.warn({ movedTo: folder }, 'the data folder was behind the archive: moved what it had aside');
  }

  /** Null, too, for a file that cannot be read: whoever reads the day will say so. */
  async #described(path: string): Promise<DescribedDay | null> {
    try {
      return (await this.#describe?.(path)) ?? null;
    } catch (error) {
      this.#options.logger.debug({ file: path }, describeError(error));
      return null;
    }
  }

  async #upload(held: Held, signal: AbortSignal): Promise<void> {
    const { dataDir, files, tables, clock, logger } = this.#options;
    const { archive, lease, taker, last } = held;
    const now = clock.now();
    await this.#history?.days.forgetMoved();
    await this.#history?.moved.bring(signal);
    const { point, bytes } = await taker.take(tables(), last, {
      fence: lease.fence,
      describe: (path) => this.#described(path),
      mayReplace: () => lease.isHeld,
      now,
      signal,
    });
    this.#bytes += bytes;
    if (last === null || !isSameContent(last, point)) {
      if (!lease.isHeld) await lease.renew();
      if (!(await archive.add(point)))
        throw archiveLost(archive.location, `somebody wrote point ${point.number}`);
      held.last = point;
      for (const path of expiredDays(last, point)) held.gone.set(path, now);
      await writeMark(dataDir, files, archive, { number: point.number });
    }
    await removeGoneDays(held, now);
    this.#archivedAt = now;
    if (now - this.#prunedAt < PRUNING) return;
    this.#prunedAt = now;
    const removed = await held.pruner.prune(now, signal);
    if (removed > 0) logger.debug({ archive: archive.location, objects: removed }, 'removed old points');
  }
}

/** Whether the folder has that point: it wrote it, also if it was killed before it noted that, or was restored from it. */
function hasPoint({ number, pending, isRestoring }: FolderMark, point: Point): boolean {
  if (isRestoring) return false;
  return number >= point.number || (number === point.number - 1 && pending === hashOfPoint(point));
}

/** Days that retention removed from the folder. */
function expiredDays(before: Point | null, now: Point): readonly string[] {
  const kept = new Set(now.days.map(({ path }) => path));
  return (before?.days ?? []).map(({ path }) => path).filter((path) => !kept.has(path));
}

/** They go from the archive too, but for those that came back. What could not be removed is removed the next time. */
async function removeGoneDays({ archive, last, gone }: Held, now: number): Promise<void> {
  const kept = new Set(last?.days.map(({ path }) => path));
  const due = [...gone].filter(([, at]) => now - at >= GONE_STANDS).map(([path]) => path);
  await archive.objects.remove(due.filter((path) => !kept.has(path)));
  for (const path of due) gone.delete(path);
}

/** Errors that trying again does not mend. */
function isFinal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return ['ARCHIVE_HELD', 'ARCHIVE_OTHER_HISTORY', 'ARCHIVE_DAMAGED', 'RESTORE_FAILED'].includes(
    String(code),
  );
}
