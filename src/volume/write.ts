import { dirname, join, parse } from 'node:path';
import { isSameMemory } from '../csv/encode.js';
import { fileNotRead, fileNotWritten } from './errors.js';
import { type FileState, type Files, isSameState, type OpenFile } from './files.js';
import { temporaryPath } from './layout.js';

/** A file's whole content. */
export type Parts = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Bytes per system call. Linux allows 2 GiB, but a slow disk should not occupy a thread for long. */
const BYTES_PER_WRITE = 16 << 20;

/** Writes all bytes at that position, in one write unless there are very many or the system accepts fewer at a time. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const part = bytes.subarray(done, done + BYTES_PER_WRITE);
    const written = await file.write(part, position + done);
    if (written === 0) throw Object.assign(new Error('EIO: the system wrote nothing'), { code: 'EIO' });
    done += written;
  }
}

/** Reads exactly that range. */
export async function readRange(file: OpenFile, from: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - from);
  for (let done = 0; done < bytes.length; ) {
    const part = bytes.subarray(done, done + BYTES_PER_WRITE);
    const read = await file.read(part, from + done);
    if (read === 0) throw Object.assign(new Error('EIO: the file is shorter than it was'), { code: 'EIO' });
    done += read;
  }
  return bytes;
}

/**
 * Writes `content` to the temporary file next to `path` (`temporaryPath`) and syncs it. The returned file is open; the caller
 * renames it to `path`. On failure nothing is left, as far as the disk allows.
 */
export async function writeBeside(
  files: Files,
  path: string,
  content: Parts,
): Promise<{ file: OpenFile; size: number }> {
  const temporary = temporaryPath(path);
  const file = await files.open(temporary, 'w+');
  try {
    let size = 0;
    for await (const part of content instanceof Uint8Array ? [content] : content) {
      await writeAll(file, part, size);
      size += part.length;
    }
    await file.sync();
    return { file, size };
  } catch (error) {
    await abandon(files, file, temporary);
    throw error;
  }
}

/** Creates or replaces a whole file atomically; a reader, or a start after a crash, finds the old one or the new one. */
export async function replaceFile(files: Files, path: string, content: Parts): Promise<void> {
  const { file } = await writeBeside(files, path, content);
  try {
    await file.close();
    await files.rename(temporaryPath(path), path);
  } catch (error) {
    await files.remove(temporaryPath(path)).catch(() => undefined);
    throw error;
  }
  await files.syncFolder(dirname(path));
}

/** Closes and removes an incomplete file. If that fails, the next start removes it. */
export async function abandon(files: Files, file: OpenFile, temporary: string): Promise<void> {
  await file.close().catch(() => undefined);
  await files.remove(temporary).catch(() => undefined);
}

/**
 * Keeps bytes in a folder under that name, or `<name>-2.<ext>` and so on if it is taken by other bytes; the same bytes
 * are not kept twice. Returns the path.
 */
export async function keepAside(files: Files, folder: string, name: string, bytes: Buffer): Promise<string> {
  const { path, isThere } = await findKept(files, folder, name, bytes);
  if (!isThere) await replaceFile(files, path, bytes);
  // The process that kept them may have been killed before the name was synced.
  else await files.syncFolder(folder);
  return path;
}

/**
 * Moves a file or folder into `folder`, under its name or `<name>-2.<ext>` and so on if that is taken. It is one rename,
 * so after a crash it is in one place or the other. Returns the new path.
 */
export async function moveAside(files: Files, path: string, folder: string): Promise<string> {
  const { name: stem, ext, base } = parse(path);
  await files.makeFolder(folder);
  await files.syncFolder(dirname(folder));
  let target = join(folder, base);
  for (let number = 2; (await files.stat(target)) !== null; number++)
    target = join(folder, `${stem}-${number}${ext}`);
  await files.rename(path, target);
  await files.syncFolder(folder);
  await files.syncFolder(dirname(path));
  return target;
}

/** Where `keepAside` has those bytes, or would put them. */
export async function findKept(
  files: Files,
  folder: string,
  name: string,
  bytes: Buffer,
): Promise<{ path: string; isThere: boolean }> {
  const { name: stem, ext } = parse(name);
  for (let number = 1; ; number++) {
    const path = join(folder, number === 1 ? name : `${stem}-${number}${ext}`);
    const state = await files.stat(path);
    if (state === null) return { path, isThere: false };
    if (state.size === bytes.length && bytes.equals(await files.readFile(path)))
      return { path, isThere: true };
  }
}

/**
 * A file that is only ever replaced as a whole: a snapshot's CSV, or one of the service's own small files.
 *
 * On disk: the bytes as given. Replacing writes `.<name>.tmp` in the same folder, syncs it, renames it over the file
 * and syncs the folder; so a reader, and a start after a crash or a power loss, finds the whole old content or the
 * whole new one. Opening the volume removes a leftover `.tmp`.
 */
export class SnapshotFile {
  readonly path: string;
  readonly #files: Files;
  /** What the file is known to hold; null while not known. */
  #known: { readonly bytes: Buffer; readonly state: FileState } | null = null;
  /** After a failed replacement: the new content may be in place and still not survive a power loss. */
  #doubtful = false;
  /** Whether the file's name was synced; one that a killed process renamed may not be. */
  #isNameSafe = false;

  constructor(path: string, files: Files) {
    this.path = path;
    this.#files = files;
  }

  /** Releases the memory of the known content: the next replacement is written whatever the file holds. */
  release(): void {
    this.#known = null;
  }

  /** The whole content, or null if there is no such file. */
  async read(): Promise<Buffer | null> {
    try {
      const state = await this.#files.stat(this.path);
      if (state === null) return null;
      const bytes = await this.#files.readFile(this.path);
      this.#known = { bytes, state };
      return bytes;
    } catch (error) {
      throw fileNotRead(this.path, error);
    }
  }

  /**
   * Replaces the content by `bytes`. False if it already was the same, and nothing was written. Keeps the buffer, so it
   * must not change afterwards. Rejects with `VOLUME_…`; the file is then as it was.
   */
  async replace(bytes: Buffer): Promise<boolean> {
    const isThere = await this.#holds(bytes);
    try {
      if (isThere) {
        if (!this.#isNameSafe) await this.#files.syncFolder(dirname(this.path));
        this.#isNameSafe = true;
        return false;
      }
      this.#known = null;
      this.#doubtful = true;
      await replaceFile(this.#files, this.path, bytes);
      const state = await this.#files.stat(this.path);
      this.#known = state === null ? null : { bytes, state };
      this.#doubtful = false;
      this.#isNameSafe = true;
      return true;
    } catch (error) {
      throw fileNotWritten(this.path, error);
    }
  }

  /** Whether the file holds these bytes; reads it again if it was touched or removed. */
  async #holds(bytes: Buffer): Promise<boolean> {
    if (this.#doubtful) return false;
    try {
      const state = await this.#files.stat(this.path);
      if (state === null || state.size !== bytes.length) return false;
      if (this.#known === null || !isSameState(this.#known.state, state)) await this.read();
    } catch {
      // An unreadable file may be replaceable; if not, replacing reports why.
      return false;
    }
    if (this.#known === null) return false;
    return isSameMemory(this.#known.bytes, bytes) || this.#known.bytes.equals(bytes);
  }
}
