import { dirname } from 'node:path';
import { isSameMemory } from '../csv/encode.js';
import { fileNotRead, fileNotWritten } from './errors.js';
import type { FileState, Files } from './files.js';
import { replaceFile } from './write.js';

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
      if (this.#known === null || !sameState(this.#known.state, state)) await this.read();
    } catch {
      // An unreadable file may be replaceable; if not, replacing reports why.
      return false;
    }
    if (this.#known === null) return false;
    return isSameMemory(this.#known.bytes, bytes) || this.#known.bytes.equals(bytes);
  }
}

function sameState(a: FileState, b: FileState): boolean {
  return a.id === b.id && a.size === b.size && a.modifiedAt === b.modifiedAt;
}
