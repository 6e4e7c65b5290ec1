import { stat } from 'node:fs/promises';
import { DynamoCsvError, errorCode } from '../base/errors.js';
import type { DayFiles } from '../history/day-files.js';
import { dayRewritten } from './errors.js';

/** Identifies the file at a path; null: there is none. */
export type FileId = string | null;

/** Attempts after which work on files that change each time is given up. */
const MOST_ATTEMPTS = 20;

/**
 * Which files of sealed days SQL was made for, where another service may replace them. DuckDB ignores case in the names of
 * columns: in a file whose column "zone" has become "zone_2" beside a new "Zone", it would take that for "zone".
 */
export class WatchedDays {
  readonly #days: DayFiles;
  readonly #onChanged: (path: string) => void;
  readonly #ids = new Map<string, FileId>();

  /** `onChanged`: called with the path of a file that is another one than noted. */
  constructor(days: DayFiles, onChanged: (path: string) => void) {
    this.#days = days;
    this.#onChanged = onChanged;
  }

  /** The files at these paths as they are, of those that may change. */
  async idsOf(paths: readonly string[]): Promise<ReadonlyMap<string, FileId>> {
    const watched = paths.filter((path) => this.#days.mayChange(path));
    return new Map(await Promise.all(watched.map(async (path) => [path, await idOf(path)] as const)));
  }

  /** SQL that is made from now on is for these files. */
  note(ids: Iterable<readonly [string, FileId]>): void {
    for (const [path, id] of ids) this.#ids.set(path, id);
  }

  /** The files for which SQL is made now. */
  noted(paths: readonly string[]): readonly (readonly [string, FileId])[] {
    return paths.flatMap((path) => {
      const id = this.#days.mayChange(path) ? this.#ids.get(path) : undefined;
      return id === undefined ? [] : [[path, id] as const];
    });
  }

  /** Rejects with `DAY_REWRITTEN` if one of these files is another one by now. One that is gone was read before. */
  async check(noted: readonly (readonly [string, FileId])[]): Promise<void> {
    const ids = await this.idsOf(noted.map(([path]) => path));
    const changed = noted.filter(([path, id]) => (ids.get(path) ?? id) !== id).map(([path]) => path);
    for (const path of changed) this.#onChanged(path);
    if (changed.length > 0) throw dayRewritten(changed[0]!);
  }
}

/** Runs work, and again with SQL made anew (`renew`) when another service has replaced a file that it read. */
export async function readingSameDays<T>(work: () => Promise<T>, renew: () => Promise<void>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isRewritten = error instanceof DynamoCsvError && error.code === 'DAY_REWRITTEN';
      if (!isRewritten || attempt === MOST_ATTEMPTS) throw error;
      await renew();
    }
  }
}

async function idOf(path: string): Promise<FileId> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
