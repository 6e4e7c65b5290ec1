import { basename, join } from 'node:path';
import { errorCode } from '../base/errors.js';
import { explainWriteFailure } from './access.js';
import { type Files, nodeFiles } from './files.js';
import { damagedFolder, isTemporary, lockFile, ownFolder, temporaryPath } from './layout.js';
import { acquireVolumeLock, type LockHolder, type VolumeLock } from './lock.js';
import { moveAside } from './write.js';

/** A data folder that is locked for this process until `release`. */
export interface Volume {
  readonly dir: string;
  /** Incomplete temporary files of an earlier run that were removed, relative to `dir`. */
  readonly leftovers: readonly string[];
  /** Where a folder, or another thing that is not a file, was moved that had the lock file's name; null: there was none. */
  readonly lockKeptAt: string | null;
  /** See `VolumeLock.check`. */
  check: VolumeLock['check'];
  /** See `VolumeLock.beat`. */
  beat: VolumeLock['beat'];
  release(): Promise<void>;
}

/**
 * Prepares a data folder: creates it, checks that it can be written, takes its lock (see `acquireVolumeLock`) and
 * removes incomplete temporary files after a crash. Whatever has the name of the lock file but is not a file is moved to
 * `damaged/`. Works on a full disk: its data is served, and writing resumes when there is space.
 * Rejects with `VOLUME_NOT_WRITABLE` (the owner, this process's user, what to run), `VOLUME_READ_ONLY`,
 * `VOLUME_NOT_A_FOLDER`, `VOLUME_HELD` or `VOLUME_NOT_LOCKABLE`. `held`: the lock, if this process has it already.
 */
export async function openVolume(
  dir: string,
  holder: LockHolder,
  files: Files = nodeFiles,
  held: VolumeLock | null = null,
): Promise<Volume> {
  let lock: VolumeLock;
  let lockKeptAt: string | null;
  try {
    await files.makeFolder(dir);
    await files.makeFolder(ownFolder(dir));
    await tryWriting(dir, files);
    await tryWriting(ownFolder(dir), files);
    lockKeptAt = await moveAsideUnlessFile(dir, files);
    lock = held ?? (await acquireVolumeLock(dir, holder));
  } catch (error) {
    await held?.release();
    throw await explainWriteFailure(dir, files, error);
  }
  try {
    const leftovers = [
      ...(await removeLeftovers(dir, files)),
      ...(await removeLeftovers(ownFolder(dir), files)).map((name) => join(basename(ownFolder(dir)), name)),
    ];
    return {
      dir,
      leftovers,
      lockKeptAt,
      check: () => lock.check(),
      beat: () => lock.beat(),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw await explainWriteFailure(dir, files, error);
  }
}

/** Nobody holds a lock that is not a file. */
async function moveAsideUnlessFile(dir: string, files: Files): Promise<string | null> {
  const path = lockFile(dir);
  const isFile = (await files.stat(path))?.isFile ?? true;
  return isFile ? null : moveAside(files, path, damagedFolder(dir));
}

/** Removes incomplete temporary files from a folder whose volume is locked; returns their names. */
export async function removeLeftovers(dir: string, files: Files): Promise<string[]> {
  const names = (await files.list(dir)).filter(isTemporary);
  for (const name of names) await files.remove(join(dir, name));
  return names;
}

/** Checks by writing: permission bits are not enough (read-only mounts, user namespaces, SELinux). */
async function tryWriting(dir: string, files: Files): Promise<void> {
  const probe = temporaryPath(join(dir, `probe-${process.pid}`));
  try {
    const file = await files.open(probe, 'w+');
    await file.close();
    await files.remove(probe);
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(errorCode(error))) throw error;
  }
}
