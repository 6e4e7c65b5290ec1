import { dirname, join, parse } from 'node:path';
import type { Files, OpenFile } from './files.js';
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
