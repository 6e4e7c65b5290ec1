import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessFolder } from '../base/process-folder.js';

/**
 * A folder below the system's temporary one, through which rows reach DuckDB. DuckDB's CSV reader reads only files, and is
 * several times faster than any way to insert rows from JavaScript.
 */
export class Scratch {
  readonly #folder = new ProcessFolder('scratch');
  #files = 0;

  get folder(): string {
    return this.#folder.path;
  }

  /** An unused path in the folder. */
  path(extension: string): string {
    this.#files += 1;
    return join(this.folder, `${this.#files}.${extension}`);
  }

  /** Runs `work` with a file with that content, which is removed afterwards. */
  async withFile<T>(content: Uint8Array, work: (path: string) => Promise<T>): Promise<T> {
    const path = this.path('csv');
    try {
      await writeFile(path, content);
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async close(): Promise<void> {
    await this.#folder.remove();
  }
}
