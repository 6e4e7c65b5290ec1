import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { tryLock, unlock } from 'fs-native-extensions';
import { errorCode } from '../base/errors.js';
import { volumeHeld, volumeNotLockable } from './errors.js';
import { lockFile, ownFolder } from './layout.js';

/** Who holds a volume, as the second one that wants it is told. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601 UTC, when the holder took it. */
  readonly since: string;
}

export interface VolumeLock {
  /** Frees the volume for the next service. */
  release(): Promise<void>;
}

/** This process, as a holder since that time (ISO 8601 UTC). */
export function thisProcess(since: string): LockHolder {
  return { host: hostname(), pid: process.pid, since };
}

/**
 * Takes the volume for this process, or rejects with `VOLUME_HELD` that says who has it.
 *
 * The lock is the operating system's, on the file `.dynamo-csv/lock` (an open-file-description lock on Linux): it
 * ends with the process, however that dies, so a crash leaves nothing to clean up; it tells apart containers in
 * which every process is number 1, and two services in one process. The file's text (JSON: host, pid, since) is only
 * for the message. The file is never removed: another process could hold a lock on the removed one.
 */
export async function acquireVolumeLock(dir: string, holder: LockHolder): Promise<VolumeLock> {
  await mkdir(ownFolder(dir), { recursive: true });
  const path = lockFile(dir);
  // A plain descriptor: a FileHandle that is garbage collected closes itself, and would free the lock.
  const descriptor = openSync(path, 'a+', 0o644);
  try {
    if (!tryLock(descriptor)) throw volumeHeld(dir, readHolder(path));
  } catch (error) {
    closeSync(descriptor);
    throw NO_LOCKS.has(errorCode(error)) ? volumeNotLockable(dir, error) : error;
  }
  writeHolder(descriptor, `${JSON.stringify(holder)}\n`);
  return {
    release: async () => {
      writeHolder(descriptor, '');
      unlock(descriptor);
      closeSync(descriptor);
    },
  };
}

const NO_LOCKS = new Set(['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** On a full disk the lock holds all the same, only without its text. */
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
    // It is just being written, or was not written at all: then nobody is named.
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
