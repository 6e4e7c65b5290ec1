import { errorCode } from '../base/errors.js';
import { fileNotRead } from './errors.js';
import type { FileState, Files, OpenFile } from './files.js';
import { readRange } from './write.js';

/** Bytes of a file that its reader has not consumed yet. */
export interface Unread {
  /** True for the beginning of a new file: the first one, or one that replaced the previous one. */
  readonly isNew: boolean;
  readonly bytes: Buffer;
}

/**
 * Reads and follows a file that another process writes (`AppendFile`): appended bytes, and a file that replaces it. Opens
 * it read-only, takes no lock, and repairs nothing. The end may be a partial append: the caller decides how much of it
 * counts, and takes that.
 */
export class AppendFileReader {
  readonly path: string;
  readonly #files: Files;
  #open: { readonly file: OpenFile; readonly id: FileState['id'] } | null = null;
  #taken = 0;

  constructor(path: string, files: Files) {
    this.path = path;
    this.#files = files;
  }

  /** The bytes after those taken; null if there is no file. Rejects with `VOLUME_READ_FAILED`. */
  async unread(): Promise<Unread | null> {
    try {
      const isReplaced = await this.#follow();
      if (this.#open === null) return null;
      const { size } = await this.#open.file.stat();
      const isNew = isReplaced || size < this.#taken;
      if (isNew) this.#taken = 0;
      return { isNew: this.#taken === 0, bytes: await readRange(this.#open.file, this.#taken, size) };
    } catch (error) {
      throw fileNotRead(this.path, error);
    }
  }

  /** Takes that many of the unread bytes. */
  take(length: number): void {
    this.#taken += length;
  }

  /** All bytes that were taken. Rejects with `VOLUME_READ_FAILED`. */
  async read(): Promise<Buffer> {
    if (this.#open === null) return Buffer.alloc(0);
    try {
      return await readRange(this.#open.file, 0, this.#taken);
    } catch (error) {
      throw fileNotRead(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.#open?.file.close();
    this.#open = null;
  }

  /**
   * Opens the file that has the name now; true if it is not the same as before. Opened anew each time: network file systems
   * show an open file as it was a while ago.
   */
  async #follow(): Promise<boolean> {
    const file = await this.#files.open(this.path, 'r').catch(unlessMissing);
    const { id } = file === null ? { id: null } : await file.stat();
    const isSame = id !== null && id === this.#open?.id;
    await this.close();
    if (!isSame) this.#taken = 0;
    this.#open = file === null || id === null ? null : { file, id };
    return !isSame;
  }
}

function unlessMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}
