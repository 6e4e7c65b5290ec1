import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { tryLock, unlock } from 'fs-native-extensions';
import { errorCode } from '../base/errors.js';
import { volumeHeld, volumeLost, volumeNotLockable } from './errors.js';
import { lockFile, ownFolder } from './layout.js';

/** Who holds a volume, for the error message of a second service. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601 UTC, when the holder took it. */
  readonly since: string;
}

export interface VolumeLock {
  /**
   * Checks that the folder is still the one that was locked. `moved`: another folder or lock file is there now, usually a
   * copy; it has been locked too. Rejects with `VOLUME_LOST` if another service has it.
   */
  check(): Promise<'held' | 'moved'>;
  /** Frees the volume for the next service. */
  release(): Promise<void>;
}

/** This process as the holder, since that time (ISO 8601 UTC). */
export function thisProcess(since: string): LockHolder {
  return { host: hostname(), pid: process.pid, since };
}

/**
 * Locks the volume for this process, or rejects with `VOLUME_HELD`, which names the holder.
 *
 * The lock is the operating system's, on the file `.dynamo-csv/lock` (an open-file-description lock on Linux): it
 * ends with the process, so a crash leaves nothing to clean up; it separates containers in which every process is
 * number 1, and two services in one process. The file's text (JSON: host, pid, since) is only
 * for the message. The file is never removed: another process could hold a lock on the removed one.
 */
export async function acquireVolumeLock(dir: string, holder: LockHolder): Promise<VolumeLock> {
  const path = lockFile(dir);
  const take = async () => {
    await mkdir(ownFolder(dir), { recursive: true });
    const descriptor = lock(path);
    if (descriptor !== null) writeHolder(descriptor, `${JSON.stringify(holder)}\n`);
    return descriptor;
  };
  let first: number | null;
  try {
    first = await take();
  } catch (error) {
    throw NO_LOCKS.has(errorCode(error)) ? volumeNotLockable(dir, error) : error;
  }
  if (first === null) throw volumeHeld(dir, readHolder(path));
  // The folder that was moved away stays locked too: it may come back.
  const held = [first];
  return {
    check: async () => {
      if (isSameFile(held.at(-1)!, path)) return 'held';
      const next = await take();
      if (next === null) throw volumeLost(dir);
      held.push(next);
      return 'moved';
    },
    release: async () => {
      for (const descriptor of held) {
        writeHolder(descriptor, '');
        unlock(descriptor);
        closeSync(descriptor);
      }
    },
  };
}

/** Opens and locks a file; null if another process holds the lock. */
function lock(path: string): number | null {
  // A plain descriptor: a FileHandle that is garbage collected closes itself, and would free the lock.
  const descriptor = openSync(path, 'a+', 0o644);
  try {
    if (tryLock(descriptor)) return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return null;
}

function isSameFile(descriptor: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(descriptor);
  return there?.ino === ours.ino && there.dev === ours.dev;
}

const NO_LOCKS = new Set(['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** Writes the holder's text. On a full disk the lock holds without it. */
function writeHolder(descriptor: number, text: string): void {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, text);
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT', 'EIO'].includes(errorCode(error))) throw error;
  }
}

function readHolder(path: string): LockHolder | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isHolder(holder) ? holder : null;
  } catch {
    // It is being written right now, or never was: the holder is unknown.
    return null;
  }
}

function isHolder(value: unknown): value is LockHolder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'host' in value &&
    typeof value.host === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'since' in value &&
    typeof value.since === 'string'
  );
}
