import { join, relative, sep } from 'node:path';
import { isoTime } from '../base/clock.js';
import { errorCode } from '../base/errors.js';
import {
  type ArchivedDay,
  type ArchivedDays,
  type DescribedDay,
  packDays,
  unpackDays,
} from '../history/archived-days.js';
import { type FileState, type Files, isSameState, type OpenFile, readUnlessGone } from '../volume/files.js';
import { isSealedDay } from '../volume/layout.js';
import { readRange } from '../volume/write.js';
import type { Archive } from './archive.js';
import { archiveBusy } from './errors.js';
import { archivedPaths } from './folder.js';
import { cutIntoParts, type Part, partOf } from './parts.js';
import type { ArchivedFile, Point } from './point.js';

/** A table whose files change together. */
export interface ArchivedTable {
  /** Runs `work` while nothing of the table is being written, with the paths of all its files, whether they exist or not. */
  atRest<T>(work: (paths: readonly string[]) => Promise<T>): Promise<T>;
}

export interface Uploaded {
  readonly point: Point;
  /** Bytes sent for it, without the point itself. */
  readonly bytes: number;
}

export interface TakeOptions {
  readonly fence: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
  /** Whether an object with another content may be replaced: only the holder of the lease may. Throws if never again. */
  mayReplace(): boolean;
  /** What is kept with a sealed day's file; null: nobody can say. */
  describe(path: string): Promise<DescribedDay | null>;
}

/** Bytes read at once. */
const READ = 1 << 20;

/** An open file, as long as it was when it was opened. */
interface Opened {
  readonly path: string;
  readonly file: OpenFile;
  readonly state: FileState;
}

/**
 * Uploads what an archive does not have yet of a data folder. Remembers what it uploaded, so that an unchanged file is
 * not read again and of a longer one only what it grew by.
 */
export class PointTaker {
  readonly #archive: Archive;
  readonly #dataDir: string;
  readonly #files: Files;
  /** The days that the archive has and the folder need not have. */
  readonly #archived: ArchivedDays;
  /** By path: the parts of a file as it was. */
  readonly #known = new Map<string, { readonly state: FileState; readonly file: ArchivedFile }>();
  readonly #knownDays = new Map<string, { readonly state: FileState; readonly day: ArchivedDay }>();

  constructor(archive: Archive, dataDir: string, files: Files, archived: ArchivedDays) {
    this.#archived = archived;
    this.#archive = archive;
    this.#dataDir = dataDir;
    this.#files = files;
  }

  /**
   * Uploads the folder as it is now, and returns the point that names it, which is not written yet. `before`: the last
   * point. Each table stands still only while its files are opened, not while they are sent.
   */
  async take(tables: Iterable<ArchivedTable>, before: Point | null, options: TakeOptions): Promise<Uploaded> {
    const { fence, now, signal } = options;
    const files: ArchivedFile[] = [];
    let bytes = 0;
    const upload = async (opened: readonly Opened[]) => {
      try {
        for (const one of opened) {
          const sent = await this.#uploadFile(one, signal);
          files.push(sent.file);
          bytes += sent.bytes;
        }
      } finally {
        for (const { file } of opened) await file.close();
      }
    };
    const ofTables = new Set<string>();
    for (const table of tables) {
      const opened = await table.atRest((paths) => {
        for (const path of paths) ofTables.add(this.#relative(path));
        return this.#open(paths);
      });
      await upload(opened);
    }
    const earlier = before === null ? [] : unpackDays(before);
    const earlierDays = new Map(earlier.map((day) => [day.path, day]));
    const days = new Map([...this.#archived].map((day) => [day.path, day]));
    for (const path of await archivedPaths(this.#dataDir)) {
      signal.throwIfAborted();
      if (ofTables.has(path)) continue;
      if (!isSealedDay(path)) await upload(await this.#open([join(this.#dataDir, path)]));
      else {
        if (this.#archived.get(path) !== undefined) continue;
        const sent = await this.#uploadDay(path, earlierDays.get(path), options);
        if (sent === null) continue;
        // Also of one that has left the list since: the file counts.
        days.set(path, sent.day);
        bytes += sent.bytes;
      }
    }
    const point: Point = {
      format: 1,
      archive: this.#archive.id,
      number: (before?.number ?? 0) + 1,
      fence,
      at: isoTime(now),
      files: files.sort(byPath),
      ...packDays([...days.values()].sort(byPath)),
    };
    return { point, bytes };
  }

  #relative(path: string): string {
    return relative(this.#dataDir, path).replaceAll(sep, '/');
  }

  /** Opens those that exist: an open file keeps its content when another takes its name. */
  async #open(paths: readonly string[]): Promise<Opened[]> {
    const opened: Opened[] = [];
    try {
      for (const path of paths) {
        const file = await this.#files.open(path, 'r').catch((error: unknown) => {
          if (errorCode(error) === 'ENOENT') return null;
          throw error;
        });
        if (file === null) continue;
        const state = await file.stat().catch(async (error: unknown) => {
          await file.close();
          throw error;
        });
        opened.push({ path: this.#relative(path), file, state });
      }
      return opened;
    } catch (error) {
      for (const { file } of opened) await file.close().catch(() => undefined);
      throw error;
    }
  }

  async #uploadFile(
    { path, file, state }: Opened,
    signal: AbortSignal,
  ): Promise<{ file: ArchivedFile; bytes: number }> {
    const known = this.#known.get(path);
    if (known !== undefined && isSameState(known.state, state)) return { file: known.file, bytes: 0 };
    // All parts but the last end where their content says so, and that did not change if the file only grew.
    const isLonger = known?.state.id === state.id && known.state.size < state.size;
    const parts: Part[] = isLonger ? known.file.parts.slice(0, -1) : [];
    let bytes = 0;
    const start = parts.reduce((sum, { size }) => sum + size, 0);
    for await (const content of cutIntoParts(chunksOf(file, start, state.size))) {
      signal.throwIfAborted();
      const part = partOf(content);
      bytes += await this.#archive.putPart(part, content);
      parts.push(part);
    }
    const archived = { path, size: state.size, parts };
    this.#known.set(path, { state, file: archived });
    return { file: archived, bytes };
  }

  /** A sealed day keeps its path, so that other engines read it where it is. Null: it is gone meanwhile. */
  async #uploadDay(
    path: string,
    before: ArchivedDay | undefined,
    { mayReplace, describe }: TakeOptions,
  ): Promise<{ day: ArchivedDay; bytes: number } | null> {
    const full = join(this.#dataDir, path);
    const state = await this.#files.stat(full);
    if (state === null) return null;
    const sent = this.#knownDays.get(path);
    if (sent !== undefined && isSameState(sent.state, state)) return { day: sent.day, bytes: 0 };
    const content = await readUnlessGone(this.#files, full);
    if (content === null) return null;
    const part = partOf(content);
    const isSame = before?.hash === part.hash;
    const known = isSame ? before : undefined;
    // An earlier version has kept no number of rows.
    const isDescribed = known !== undefined && known.columns !== null && known.rows !== undefined;
    const described = isDescribed ? known : ((await this.#described(full, state, describe)) ?? known);
    const { columns = null, rows } = described ?? {};
    const day = { path, ...part, columns, ...(rows === undefined ? {} : { rows }) };
    const isSent = !isSame && (await this.#putDay(path, content, day.hash, mayReplace));
    this.#knownDays.set(path, { state, day });
    return { day, bytes: isSent ? content.length : 0 };
  }

  /** Null, too, where the file has been written again since it was in that state. */
  async #described(
    path: string,
    state: FileState,
    describe: TakeOptions['describe'],
  ): Promise<DescribedDay | null> {
    const described = await describe(path);
    const now = await this.#files.stat(path);
    return isSameState(state, now) ? described : null;
  }

  /**
   * Stores a day. False: it is there already. A day that was written again takes the place of the earlier file, of which
   * points that name it keep a copy: `fetchDay` finds it under its hash.
   */
  async #putDay(path: string, content: Buffer, hash: string, mayReplace: () => boolean): Promise<boolean> {
    const { objects } = this.#archive;
    if ((await objects.put(path, content, 'absent')) !== null) return true;
    const there = await objects.get(path);
    const before = there === null ? null : partOf(there.bytes);
    if (before?.hash === hash) return false;
    if (there !== null && before !== null && mayReplace()) await this.#archive.putPart(before, there.bytes);
    const condition = there === null ? 'absent' : { version: there.version };
    if (!mayReplace() || (await objects.put(path, content, condition)) === null)
      throw archiveBusy(objects.location + path);
    return true;
  }
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

async function* chunksOf(file: OpenFile, from: number, end: number): AsyncIterable<Buffer> {
  for (let at = from; at < end; at += READ) yield await readRange(file, at, Math.min(end, at + READ));
}

/** Whether two points name the same content. */
export function isSameContent(a: Point, b: Point): boolean {
  return contentOf(a) === contentOf(b);
}

function contentOf({ files, days, layouts = [] }: Point): string {
  return JSON.stringify([files, days, layouts]);
}
