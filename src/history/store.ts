import type { DayFiles } from './day-files.js';

/** One stored local day of a dataset. */
export interface StoredDay {
  /** Local day, `2026-11-24`. */
  readonly date: string;
  /** Names of its files in the store, in the order in which they were put; at least one. */
  readonly files: readonly string[];
}

/**
 * Where sealed days are kept: for each dataset its local days, for each day one or more immutable files.
 *
 * Every implementation has to pass `test/history/store-suite.ts`. All methods reject with the errors of the underlying
 * storage (system errors of a disk).
 */
export interface HistoryStore extends DayFiles {
  /** Where the days are stored, for display: a folder's path. */
  readonly location: string;
  /** The time zone whose midnights separate the days; null until something was sealed. */
  timeZone(): Promise<string | null>;
  /** Records the time zone. Call before the first `put`. */
  setTimeZone(timeZone: string): Promise<void>;
  /** The stored days, oldest first. Lists names only: no file is opened or fetched. */
  days(dataset: string): Promise<readonly StoredDay[]>;
  /** Paths on this machine of a day's files, in their order. They never change; what is not here yet comes there by `hold`. */
  pathsOf(dataset: string, day: StoredDay): readonly string[];
  /** The days that the store knows of and cannot get: they are in an archive that is not configured. Oldest first. */
  unreachableDays(dataset: string): Promise<readonly StoredDay[]>;
  /**
   * Adds a file to a day and returns the day with it. `write` creates the file at the path that it is given.
   * Readers see the whole file or none, and existing files stay as they are. If `write` rejects, so does `put`, and the
   * day is unchanged.
   */
  put(dataset: string, date: string, write: (path: string) => Promise<void>): Promise<StoredDay>;
  /**
   * Replaces a file of a day by the one that `write` creates at the path that it is given, with the same rows. `swap` runs
   * the step with which readers see it, at its time, or resolves to false: then the day stays as it is. Resolves to what
   * `swap` did.
   */
  replace(
    file: { readonly dataset: string; readonly date: string; readonly name: string },
    write: (path: string) => Promise<void>,
    swap: (step: () => Promise<void>) => Promise<boolean>,
  ): Promise<boolean>;
  /** What was noted about the schema of a dataset's files; null: nothing. */
  schema(dataset: string): Promise<string | null>;
  /** Notes the schema of a dataset's files beside them, for people and other engines. */
  noteSchema(dataset: string, text: string): Promise<void>;
  /** Once this resolves, these days survive a power loss, including those put by a process that was killed. */
  persist(dataset: string, dates: Iterable<string>): Promise<void>;
  /**
   * Moves an unreadable file of a day aside; it is never deleted. Resolves to its new place, for display; null: it is not
   * there any more.
   */
  setAside(dataset: string, date: string, file: string): Promise<string | null>;
  /**
   * Removes this machine's copy of a file that turned out to be damaged, if that very file can be fetched again. False: it
   * cannot; set it aside. `path`: one that `pathsOf` gives or gave.
   */
  discard(path: string): Promise<boolean>;
  /** The days with files that were set aside and not put back, oldest first, with these files. */
  damagedDays(dataset: string): Promise<readonly StoredDay[]>;
  /** Removes a day with all its files, including those set aside; a day that does not exist is fine. */
  delete(dataset: string, date: string): Promise<void>;
  /**
   * Removes leftovers of interrupted `put`s of a dataset, and sets aside whatever has the name of a day's file but is not a
   * file. Call it once, before the first `put` or read.
   */
  recover(dataset: string): Promise<void>;
}
