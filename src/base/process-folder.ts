import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The folders that this process created. */
const ours = new Set<string>();

/**
 * Removes folders named after a process that is not running, or after this process's id without having been created by it
 * (in a container every service is process 1). A folder that cannot be removed belongs to another user.
 */
function removeLeftovers(prefix: string): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(prefix) ? /^(\d+)-/.exec(name.slice(prefix.length))?.[1] : undefined;
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

/** A folder of this process below the system's temporary one. */
export class ProcessFolder {
  readonly path: string;

  /** Creates a new one, `dynamo-csv-<purpose>-<process>-…`, and removes those of killed processes. */
  constructor(purpose: string) {
    const prefix = `dynamo-csv-${purpose}-`;
    removeLeftovers(prefix);
    this.path = realpathSync(mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`)));
    ours.add(basename(this.path));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    ours.delete(basename(this.path));
  }
}
