import { basename, dirname, sep } from 'node:path';
import type { FileState, Files, OpenFile } from '../volume/files.js';

/**
 * An in-memory implementation of the file operations. Recording thousands of past polls with the service's own code
 * would sync to disk several times each; this way the final files are written once.
 */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, MemoryFile>();
  #lastId = 0;

  /** Paths and contents of all files. */
  *entries(): Generator<readonly [path: string, content: Buffer]> {
    for (const [path, file] of this.#files) yield [path, file.content];
  }

  async open(path: string, mode: 'r' | 'r+' | 'w+'): Promise<OpenFile> {
    let file = this.#files.get(path);
    if (file === undefined) {
      if (mode !== 'w+') throw missing(path);
      this.#lastId += 1;
      file = new MemoryFile(this.#lastId);
      this.#files.set(path, file);
    }
    if (mode === 'w+') await file.truncate(0);
    return file;
  }

  async readFile(path: string): Promise<Buffer> {
    const file = this.#files.get(path);
    if (file === undefined) throw missing(path);
    return Buffer.from(file.content);
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) throw missing(from);
    await this.remove(to);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async remove(path: string): Promise<void> {
    this.#files.get(path)?.unlink();
    this.#files.delete(path);
  }

  async removeFolder(path: string): Promise<void> {
    for (const file of [...this.#files.keys()].filter((name) => name.startsWith(path + sep)))
      await this.remove(file);
  }

  /** Folders exist implicitly, by their files. */
  async makeFolder(): Promise<void> {}

  async list(path: string): Promise<string[]> {
    return [...this.#files.keys()].filter((file) => dirname(file) === path).map((file) => basename(file));
  }

  async stat(path: string): Promise<FileState | null> {
    return this.#files.get(path)?.stat() ?? null;
  }

  async syncFolder(): Promise<void> {}
}

class MemoryFile implements OpenFile {
  readonly #id: number;
  #bytes = Buffer.alloc(4_096);
  #size = 0;
  #links = 1;
  /** A change counter stands in for the time. */
  #modified = 0;

  constructor(id: number) {
    this.#id = id;
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.content);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    this.#modified += 1;
    return bytes.length;
  }

  async read(bytes: Uint8Array, position: number): Promise<number> {
    const part = this.content.subarray(position, position + bytes.length);
    bytes.set(part);
    return part.length;
  }

  async truncate(size: number): Promise<void> {
    this.#bytes.fill(0, Math.min(size, this.#size), this.#size);
    this.#size = size;
    this.#modified += 1;
  }

  async sync(): Promise<void> {}

  async stat(): Promise<FileState> {
    const state = {
      id: this.#id,
      isFile: true,
      size: this.#size,
      links: this.#links,
      modifiedAt: this.#modified,
    };
    return { ...state, uid: 0, gid: 0, mode: 0o644 };
  }

  async close(): Promise<void> {}

  unlink(): void {
    this.#links = 0;
  }
}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file: ${path}`), { code: 'ENOENT' });
}
