import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const PREFIX = 'dynamo-csv-scratch-';

/** The folders that this process made. */
const ours = new Set<string>();

/**
 * Folders whose name has the number of a process that does not run, or our own number although we did not make them: in
 * a container every process is number 1. One that cannot be removed is somebody else's.
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
 * A folder of our own below the system's temporary one: how rows reach DuckDB. Its CSV reader takes files only, and is
 * several times faster than any way in from JavaScript.
 */
export class Scratch {
  readonly folder: string;
  #files = 0;

  /** Makes a new one, and removes those of processes that were killed. */
  constructor() {
    removeLeftovers();
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`)));
    ours.add(basename(this.folder));
  }

  /** A path in it that nothing has yet. */
  path(extension: string): string {
    this.#files += 1;
    return join(this.folder, `${this.#files}.${extension}`);
  }

  /** Gives `work` a file with that content, and removes it when `work` has ended. */
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
