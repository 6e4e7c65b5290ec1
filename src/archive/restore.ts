import { createReadStream } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type ArchivedDay, ArchivedDays, unpackDays } from '../history/archived-days.js';
import type { Files } from '../volume/files.js';
import { isSealedDay, movedAsOne } from '../volume/layout.js';
import { readRange, replaceFile } from '../volume/write.js';
import type { Archive } from './archive.js';
import { notRestored, objectDamaged, objectMissing, restoreNotEmpty } from './errors.js';
import { archivedPaths, readMark, writeMark } from './folder.js';
import type { ObjectStore } from './objects.js';
import { cutIntoParts, type Part, partKey, partOf, unpacked } from './parts.js';
import type { ArchivedFile, Point } from './point.js';

/** What was done so far. */
export interface RestoreProgress {
  readonly files: number;
  readonly filesOfAll: number;
  readonly bytes: number;
  readonly bytesOfAll: number;
}

export interface RestoreOptions {
  readonly files: Files;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** Whether the folder goes on following the archive; default false. */
  readonly isFollowing?: boolean;
  /** What a folder that follows is known to have, by path: it need not be read again. */
  readonly known?: Map<string, string>;
  /** Lists the days that stay in the archive, in a folder that is in use already; absent: nothing there is. */
  readonly list?: (days: readonly ArchivedDay[]) => Promise<void>;
  /** Whether a sealed day's file comes along. The others stay in the archive, and the folder lists them. */
  readonly comesAlong: (day: ArchivedDay) => boolean;
}

/** Files restored at a time. */
const AT_ONCE = 4;

/**
 * Writes the state of a point into a folder. Each file is checked by its hashes and replaced atomically; files that are
 * there already are kept, so an interrupted restore continues. The folder is marked as the archive's at the end.
 * Rejects with `ARCHIVE_DAMAGED`, `RESTORE_FAILED`, or as a request to the archive does.
 */
export async function restorePoint(
  archive: Archive,
  point: Point,
  dataDir: string,
  { files, signal, onProgress, comesAlong, isFollowing = false, known = new Map(), list }: RestoreOptions,
): Promise<void> {
  const all = unpackDays(point);
  const days = all.filter(comesAlong);
  const jobs = [
    ...point.files.map((file) => ({
      size: file.size,
      run: () => unlessKnown(file, known, () => restoreFile(archive, file, dataDir, { files, signal })),
    })),
    ...days.map((day) => ({
      size: day.size,
      run: () => unlessKnown(day, known, () => restoreDay(archive, day, dataDir, { files, signal })),
    })),
  ];
  const bytesOfAll = jobs.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let bytes = 0;
  const waiting = jobs.values();
  signal.throwIfAborted();
  await writeMark(dataDir, files, archive, { number: 0, isRestoring: true });
  const work = async () => {
    for (const { size, run } of waiting) {
      signal.throwIfAborted();
      await run();
      done += 1;
      bytes += size;
      onProgress?.({ files: done, filesOfAll: jobs.length, bytes, bytesOfAll });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  const left = all.filter((day) => !comesAlong(day));
  await (list ?? ((some) => listDays(some, dataDir, files)))(left);
  // What has left may come back as it was.
  const named = new Set([...point.files, ...days].map(({ path }) => path));
  for (const path of known.keys()) if (!named.has(path)) known.delete(path);
  await writeMark(dataDir, files, archive, { number: point.number, isFollowing });
}

async function listDays(days: readonly ArchivedDay[], dataDir: string, files: Files): Promise<void> {
  for (const day of days) if (await isOther(day, dataDir, files)) await files.remove(join(dataDir, day.path));
  await (await ArchivedDays.open(dataDir, files)).replace(days);
}

async function unlessKnown(
  file: ArchivedFile | ArchivedDay,
  known: Map<string, string>,
  restore: () => Promise<void>,
): Promise<void> {
  const content = JSON.stringify(file);
  if (known.get(file.path) === content) return;
  known.delete(file.path);
  await restore();
  known.set(file.path, content);
}

/**
 * Removes what the folder has and the point has not: days beyond the retention, tables that are gone. What was moved aside
 * stays. `removeDay`: removes the file of a sealed day, which somebody may be reading; its path is relative to the folder.
 */
export async function removeOthers(
  point: Point,
  dataDir: string,
  files: Files,
  removeDay: (path: string) => Promise<void> = (path) => files.remove(join(dataDir, path)),
): Promise<void> {
  const kept = new Set([...point.files, ...point.days].map(({ path }) => path));
  for (const path of await archivedPaths(dataDir)) {
    if (kept.has(path) || movedAsOne(path) === null) continue;
    await (isSealedDay(path) ? removeDay(path) : files.remove(join(dataDir, path)));
  }
}

/**
 * Restores a point into a folder of its own, which must be empty unless an earlier restore into it broke off. Rejects with
 * `RESTORE_NOT_EMPTY` otherwise.
 */
export async function restoreInto(
  archive: Archive,
  point: Point,
  folder: string,
  options: RestoreOptions,
): Promise<void> {
  const dataDir = resolve(folder);
  await options.files.makeFolder(dataDir);
  const isOurs = (await readMark(dataDir, options.files))?.isRestoring === true;
  const [found] = await archivedPaths(dataDir);
  if (found !== undefined && !isOurs) throw restoreNotEmpty(dataDir, found);
  await restorePoint(archive, point, dataDir, options);
}

async function restoreFile(
  archive: Archive,
  file: ArchivedFile,
  dataDir: string,
  { files, signal }: Pick<RestoreOptions, 'files' | 'signal'>,
): Promise<void> {
  const path = join(dataDir, file.path);
  const there = await partsIn(path, files);
  if (isWhole(file, there)) return;
  async function* parts() {
    for (const part of file.parts) {
      signal.throwIfAborted();
      const at = there.get(part.hash);
      yield at === undefined ? await archive.part(part, signal) : await readPart(path, at, part, files);
    }
    signal.throwIfAborted();
  }
  await write(path, parts(), { files, signal });
}

async function restoreDay(
  archive: Archive,
  day: ArchivedDay,
  dataDir: string,
  { files, signal }: Pick<RestoreOptions, 'files' | 'signal'>,
): Promise<void> {
  const path = join(dataDir, day.path);
  const there = await files.stat(path);
  if (there?.size === day.size && partOf(await files.readFile(path)).hash === day.hash) return;
  await write(path, [await fetchDay(archive.objects, day, signal)], { files, signal });
}

/** Whether a file is here that is not that day's, of an earlier restore: it would be taken for its copy. */
async function isOther(day: ArchivedDay, dataDir: string, files: Files): Promise<boolean> {
  const path = join(dataDir, day.path);
  if ((await files.stat(path)) === null) return false;
  return partOf(await files.readFile(path)).hash !== day.hash;
}

/**
 * The content of a sealed day as the point names it; one that was written again since is under its hash. Rejects with
 * `ARCHIVE_DAMAGED` if it is neither there nor under its path.
 */
export async function fetchDay(
  objects: ObjectStore,
  { path, hash }: Pick<ArchivedDay, 'path' | 'hash'>,
  signal?: AbortSignal,
): Promise<Buffer> {
  const found = await objects.get(path, signal);
  if (found !== null && partOf(found.bytes).hash === hash) return found.bytes;
  const earlier = await objects.get(partKey(hash), signal);
  const place = objects.location + path;
  if (earlier !== null) return unpacked(earlier.bytes, hash, objects.location + partKey(hash));
  if (found === null) throw objectMissing(place);
  throw objectDamaged(place, 'it is not the file that was archived');
}

/** The parts of the file that is there, with their places: only the others have to be fetched. */
async function partsIn(path: string, files: Files): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  if ((await files.stat(path))?.isFile !== true) return found;
  let at = 0;
  for await (const bytes of cutIntoParts(createReadStream(path, { highWaterMark: 1 << 20 }))) {
    found.set(partOf(bytes).hash, at);
    at += bytes.length;
  }
  return found.set(END, at);
}

/** Where a file ends, among its parts. */
const END = '';

function isWhole({ size, parts }: ArchivedFile, there: ReadonlyMap<string, number>): boolean {
  let at = 0;
  for (const part of parts) {
    if (there.get(part.hash) !== at) return false;
    at += part.size;
  }
  return there.get(END) === size;
}

async function readPart(path: string, at: number, { size }: Part, files: Files): Promise<Buffer> {
  const file = await files.open(path, 'r');
  try {
    return await readRange(file, at, at + size);
  } finally {
    await file.close();
  }
}

async function write(
  path: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { files, signal }: Pick<RestoreOptions, 'files' | 'signal'>,
): Promise<void> {
  try {
    await files.makeFolder(dirname(path));
    await replaceFile(files, path, content);
  } catch (error) {
    signal.throwIfAborted();
    throw notRestored(path, error);
  }
}
