import {
  closeSync,
  fstatSync,
  ftruncateSync,
  futimes,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import { tryLock, unlock } from 'fs-native-extensions';
import { errorCode } from '../base/errors.js';
import { volumeHeld, volumeLost, volumeNotLockable } from './errors.js';
import { lockFile, ownFolder, successionFile, temporaryPath } from './layout.js';

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
   * copy; it has been locked too. Rejects with `VOLUME_LOST` if another service has it, or had it meanwhile.
   */
  check(): Promise<'held' | 'moved'>;
  /** Shows those who wait for the lock that the holder is alive: the time of the file changes. */
  beat(): Promise<void>;
  /** Frees the volume for the next service. */
  release(): Promise<void>;
}

/** The lock file as those see it who wait for it. Two that are equal: the holder did not beat in between. */
export interface LockSign {
  readonly id: number;
  readonly modifiedAt: number;
  /** Null: nobody, or it is not known. */
  readonly holder: LockHolder | null;
  /** Whether its holder beats: older versions do not. */
  readonly beats: boolean;
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
 * Only `succeedVolumeLock` replaces it.
 */
export async function acquireVolumeLock(dir: string, holder: LockHolder): Promise<VolumeLock> {
  const path = lockFile(dir);
  let first: number | null;
  try {
    await mkdir(ownFolder(dir), { recursive: true });
    first = await lock(path);
  } catch (error) {
    throw NO_LOCKS.has(errorCode(error)) ? volumeNotLockable(dir, error) : error;
  }
  if (first === null) throw volumeHeld(dir, noteIn(path).holder);
  return new HeldLock(dir, first, holder, noteIn(path).term);
}

/**
 * Takes the volume from a holder that does not beat any more but still has the operating system's lock: it is frozen, or
 * on a machine that nobody can reach. `seen`: the file as it has been since. A new lock file takes the place of the old
 * one, with a higher term, by which the old holder knows that it has lost the volume even if the new one is gone by
 * then. Null: it beats after all, or another service is at it.
 */
export async function succeedVolumeLock(
  dir: string,
  holder: LockHolder,
  seen: LockSign,
): Promise<VolumeLock | null> {
  const path = lockFile(dir);
  const gate = await lock(successionFile(dir));
  if (gate === null) return null;
  try {
    const now = await readLockSign(dir);
    if (now === null || now.id !== seen.id || now.modifiedAt !== seen.modifiedAt) return null;
    const temporary = temporaryPath(path);
    rmSync(temporary, { force: true });
    const descriptor = (await lock(temporary)) as number;
    const held = new HeldLock(dir, descriptor, holder, noteIn(path).term + 1);
    renameSync(temporary, path);
    return held;
  } finally {
    unlock(gate);
    closeSync(gate);
  }
}

/** The lock file as it is now; null: there is none. Writes nothing. */
export async function readLockSign(dir: string): Promise<LockSign | null> {
  const path = lockFile(dir);
  // Opened: network file systems show the attributes of a closed file as they were a while ago.
  const file = await open(path, 'r').catch(unlessMissing);
  if (file === null) return null;
  try {
    const { ino: id, mtimeMs: modifiedAt } = await file.stat();
    const { holder, beats } = noteFrom((await file.readFile()).toString());
    return { id, modifiedAt, holder, beats };
  } finally {
    await file.close();
  }
}

class HeldLock implements VolumeLock {
  readonly #dir: string;
  readonly #path: string;
  readonly #holder: LockHolder;
  /** Grows each time that a holder loses the volume. */
  readonly #term: number;
  /** The folder that was moved away stays locked too: it may come back. */
  readonly #held: number[];
  #beat = 0;

  constructor(dir: string, descriptor: number, holder: LockHolder, term: number) {
    this.#dir = dir;
    this.#path = lockFile(dir);
    this.#holder = holder;
    this.#term = term;
    this.#held = [descriptor];
    this.#note(descriptor);
  }

  async check(): Promise<'held' | 'moved'> {
    if (await isSameFile(this.#held.at(-1)!, this.#path)) return 'held';
    if (noteIn(this.#path).term > this.#term) throw volumeLost(this.#dir);
    await mkdir(ownFolder(this.#dir), { recursive: true });
    const next = await lock(this.#path);
    if (next === null) throw volumeLost(this.#dir);
    this.#held.push(next);
    this.#note(next);
    return 'moved';
  }

  async beat(): Promise<void> {
    this.#beat = Math.max(Date.now(), this.#beat + 1);
    const time = new Date(this.#beat);
    await promisify(futimes)(this.#held.at(-1)!, time, time);
  }

  async release(): Promise<void> {
    const rest = this.#term === 0 ? '' : `${JSON.stringify({ term: this.#term })}\n`;
    for (const descriptor of this.#held) {
      writeNote(descriptor, rest);
      unlock(descriptor);
      closeSync(descriptor);
    }
  }

  #note(descriptor: number): void {
    const term = this.#term === 0 ? {} : { term: this.#term };
    writeNote(descriptor, `${JSON.stringify({ ...this.#holder, beats: true, ...term })}\n`);
  }
}

/** Opens and locks a file; null if another process holds the lock. */
async function lock(path: string): Promise<number | null> {
  // A plain descriptor: a FileHandle that is garbage collected closes itself, and would free the lock.
  const descriptor = openSync(path, 'a+', 0o644);
  try {
    // Another file may have taken its name meanwhile: then nobody looks at this one.
    if (tryLock(descriptor) && (await isSameFile(descriptor, path))) return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return null;
}

/** Whether the file at that path is the one that is open. */
async function isSameFile(descriptor: number, path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(unlessMissing);
  if (file === null) return false;
  try {
    const there = await file.stat();
    const ours = fstatSync(descriptor);
    return there.ino === ours.ino && there.dev === ours.dev;
  } finally {
    await file.close();
  }
}

function unlessMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

const NO_LOCKS = new Set(['ENOLCK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);

/** Writes the text of a lock file. On a full disk the lock holds without it. */
function writeNote(descriptor: number, text: string): void {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, text);
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT', 'EIO'].includes(errorCode(error))) throw error;
  }
}

/** What a lock file says. */
interface Note {
  readonly holder: LockHolder | null;
  readonly beats: boolean;
  readonly term: number;
}

const NO_NOTE: Note = { holder: null, beats: false, term: 0 };

function noteIn(path: string): Note {
  try {
    return noteFrom(readFileSync(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return NO_NOTE;
    throw error;
  }
}

function noteFrom(text: string): Note {
  try {
    const note = JSON.parse(text) as { beats?: unknown; term?: unknown } | null;
    const term = typeof note?.term === 'number' && Number.isSafeInteger(note.term) ? note.term : 0;
    return { holder: isHolder(note) ? note : null, beats: note?.beats === true, term };
  } catch {
    // It is being written right now, or never was: the holder is unknown.
    return NO_NOTE;
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
