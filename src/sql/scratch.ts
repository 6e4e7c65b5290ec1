import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const PREFIX = 'dynamo-csv-scratch-';

/** The folders that this process created. */
const ours = new Set<string>();

/**
 * Removes folders named after a process that is not running, or after this process's id without having been created by it
 * (in a container every service is process 1). A folder that cannot be removed belongs to another user.
 */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^dynamo-csv-scratch-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isInUse(name, Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's: it is theirs to remove.
    }
  }
}

function isInUse(name: string, pid: number): boolean {
  if (pid === process.pid) return ours.has(name);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * A folder below the system's temporary one, through which rows reach DuckDB. DuckDB's CSV reader reads only files, and is
 * several times faster than any way to insert rows from JavaScript.
 */
export class Scratch {
  readonly folder: string;
  #files = 0;

  /** Creates a new folder, and removes those of killed processes. */
  constructor() {
    removeLeftovers();
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)));
    ours.add(basename(this.folder));
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
    await rm(this.folder, { recursive: true, force: true });
    ours.delete(basename(this.folder));
  }
}
