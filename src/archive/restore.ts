import { createReadStream } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type ArchivedDay, ArchivedDays, unpackDays } from '../history/archived-days.js';
import type { Files } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import type { Archive } from './archive.js';
import { notRestored, objectDamaged, objectMissing, restoreNotEmpty } from './errors.js';
import { archivedPaths, readMark, writeMark } from './folder.js';
import type { ObjectStore } from './objects.js';
import { cutIntoParts, partOf } from './parts.js';
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
  { files, signal, onProgress, comesAlong }: RestoreOptions,
): Promise<void> {
  const all = unpackDays(point);
  const days = all.filter(comesAlong);
  const jobs = [
    ...point.files.map((file) => ({
      size: file.size,
      run: () => restoreFile(archive, file, dataDir, files),
    })),
    ...days.map((day) => ({ size: day.size, run: () => restoreDay(archive, day, dataDir, files) })),
  ];
  const bytesOfAll = jobs.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let bytes = 0;
  const waiting = jobs.values();
  await writeMark(dataDir, files, { archive: archive.id, number: 0, isRestoring: true });
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
  const listed = await ArchivedDays.open(dataDir, files);
  await listed.drop(listed);
  const left = all.filter((day) => !comesAlong(day));
  for (const day of left) await removeOther(day, dataDir, files);
  await listed.add(left);
  await writeMark(dataDir, files, { archive: archive.id, number: point.number });
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
  files: Files,
): Promise<void> {
  const path = join(dataDir, file.path);
  if (await hasParts(path, file, files)) return;
  async function* parts() {
    for (const part of file.parts) yield await archive.part(part);
  }
  await write(path, parts(), files);
}

async function restoreDay(archive: Archive, day: ArchivedDay, dataDir: string, files: Files): Promise<void> {
  const path = join(dataDir, day.path);
  const there = await files.stat(path);
  if (there?.size === day.size && partOf(await files.readFile(path)).hash === day.hash) return;
  await write(path, [await fetchDay(archive.objects, day)], files);
}

/** A file here that is not that day's, of an earlier restore that broke off, would be taken for its copy. */
async function removeOther(day: ArchivedDay, dataDir: string, files: Files): Promise<void> {
  const path = join(dataDir, day.path);
  if ((await files.stat(path)) === null) return;
  if (partOf(await files.readFile(path)).hash !== day.hash) await files.remove(path);
}

/** The content of a sealed day. Rejects with `ARCHIVE_DAMAGED` if it is missing or not what the point names. */
export async function fetchDay(
  objects: ObjectStore,
  { path, hash }: Pick<ArchivedDay, 'path' | 'hash'>,
  signal?: AbortSignal,
): Promise<Buffer> {
  const found = await objects.get(path, signal);
  const place = objects.location + path;
  if (found === null) throw objectMissing(place);
  if (partOf(found.bytes).hash !== hash) throw objectDamaged(place, 'it is not the file that was archived');
  return found.bytes;
}

async function hasParts(path: string, { size, parts }: ArchivedFile, files: Files): Promise<boolean> {
  if ((await files.stat(path))?.size !== size) return false;
  let index = 0;
  for await (const bytes of cutIntoParts(createReadStream(path, { highWaterMark: 1 << 20 }))) {
    if (partOf(bytes).hash !== parts[index]?.hash) return false;
    index += 1;
  }
  return index === parts.length;
}

async function write(
  path: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  files: Files,
): Promise<void> {
  try {
    await files.makeFolder(dirname(path));
    await replaceFile(files, path, content);
  } catch (error) {
    throw notRestored(path, error);
  }
}
