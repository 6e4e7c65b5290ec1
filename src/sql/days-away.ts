import type { DayFiles, Hold } from '../history/day-files.js';
import { daysKeepLeaving } from './errors.js';

/** Work needs files of sealed days that are not on this machine. It never reaches a user: see `fetchingDays`. */
export class DaysAway extends Error {
  override readonly name = 'DaysAway';
  readonly paths: readonly string[];

  constructor(paths: readonly string[]) {
    super('Days are in the archive only');
    this.paths = paths;
  }
}

/** Attempts after which work that needs other days each time is given up. */
const MOST_ATTEMPTS = 20;

/**
 * Runs work; when it needs days that are not here, fetches them and runs it again, which finds them. So nothing that others
 * wait for is occupied while days are fetched: no session, no permit, no snapshot. Rejects as `DayFiles.hold` does.
 */
export async function fetchingDays<T>(
  days: DayFiles,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const needed = new Set<string>();
  let held: Hold | null = null;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DaysAway)) throw error;
        if (attempt === MOST_ATTEMPTS) throw daysKeepLeaving(error.paths);
        for (const path of error.paths) needed.add(path);
        // All of them anew: what it holds already may be what there is no room beside.
        held?.release();
        held = await days.hold([...needed], signal);
      }
    }
  } finally {
    held?.release();
  }
}
