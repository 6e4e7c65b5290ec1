import type { Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { errorCode } from '../base/errors.js';

/**
 * The file boundary: the few operations that all work on the volume uses. Tests inject faults and stops here
 * (test/support/faulty-files.ts), so code that writes to the volume takes a `Files` and uses nothing else.
 * All reject with Node's own system errors (`code` is `ENOSPC`, `EIO`, …).
 */
export interface Files {
  /** `r`: to read; `r+`: to read and write what exists; `w+`: the same, created or emptied. */
  open(path: string, mode: 'r' | 'r+' | 'w+'): Promise<OpenFile>;
  readFile(path: string): Promise<Buffer>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that does not exist is fine. */
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is in it; one that does not exist is fine. */
  removeFolder(path: string): Promise<void>;
  /** Creates a folder and its parents; existing ones are fine. */
  makeFolder(path: string): Promise<void>;
  /** Names in a folder; none if it does not exist. */
  list(path: string): Promise<string[]>;
  /** Null if nothing exists at that path. */
  stat(path: string): Promise<FileState | null>;
  /** Makes names (created, renamed, removed) in this folder survive a power loss. */
  syncFolder(path: string): Promise<void>;
}

export interface OpenFile {
  /** Returns how many bytes were written, which may be fewer than asked. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Fills `bytes` from that position; returns how many were read. */
  read(bytes: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Makes the content written so far survive a power loss (fdatasync: its size too, not its times). */
  sync(): Promise<void>;
  stat(): Promise<FileState>;
  close(): Promise<void>;
}

export interface FileState {
  readonly size: number;
  /** False for a folder, a named pipe and the like, and for a symbolic link that leads to itself. */
  readonly isFile: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Distinguishes a file from another that took its name. */
  readonly id: number;
  /** The number of names it has: 0 once it was removed or replaced. */
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

/** Whether two looks at a path found the same file, with nothing written to it in between; or none both times. */
export function isSameState(a: FileState | null, b: FileState | null): boolean {
  return a?.id === b?.id && a?.size === b?.size && a?.modifiedAt === b?.modifiedAt;
}

/** A file's content; null: there is none, or there is none any more. */
export async function readUnlessGone(files: Files, path: string): Promise<Buffer | null> {
  return files.readFile(path).catch(unlessMissing(null));
}

export const nodeFiles: Files = {
  open: async (path, mode) => openFile(await open(path, mode, 0o644)),
  readFile: (path) => readFile(path),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  removeFolder: (path) => rm(path, { force: true, recursive: true }),
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: (path) => readdir(path).catch(unlessMissing([])),
  stat: (path) => stat(path).catch(unlessLoop(path)).then(fileState).catch(unlessMissing(null)),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } catch (error) {
      // Some network and FUSE file systems cannot sync a folder at all.
      if (!NO_FOLDER_SYNC.has(errorCode(error))) throw error;
    } finally {
      await folder.close();
    }
  },
};

const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM']);

function openFile(handle: FileHandle): OpenFile {
  return {
    write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
    read: async (bytes, position) => (await handle.read(bytes, 0, bytes.length, position)).bytesRead,
    truncate: (size) => handle.truncate(size),
    sync: () => handle.datasync(),
    stat: async () => fileState(await handle.stat()),
    close: () => handle.close(),
  };
}

function fileState(stats: Stats): FileState {
  const { size, mtimeMs: modifiedAt, ino: id, nlink: links, uid, gid } = stats;
  const isFile = stats.isFile();
  return { size, isFile, modifiedAt, id, links, uid, gid, mode: stats.mode & 0o7777 };
}

/** A link that leads to itself can be moved away like anything else. */
function unlessLoop(path: string): (error: unknown) => Promise<Stats> {
  return (error) => {
    if (errorCode(error) === 'ELOOP') return lstat(path);
    throw error;
  };
}

function unlessMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (errorCode(error) === 'ENOENT') return instead;
    throw error;
  };
}
