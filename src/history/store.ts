/** One stored local day of a dataset. */
export interface StoredDay {
  /** Local day, `2026-11-24`. */
  readonly date: string;
  /** Names of its files in the store, in the order in which they were put; one at least. */
  readonly files: readonly string[];
}

/**
 * Where sealed days are kept: for each dataset its local days, for each day one or more immutable files.
 *
 * `test/history/store-suite.ts` is what every implementation has to pass. All methods reject with the errors of the
 * place where the days lie (a disk's system errors).
 */
export interface HistoryStore {
  /** Where the days lie, for people: a folder's path. */
  readonly location: string;
  /** The time zone whose midnights cut the days; null while nothing was sealed. */
  timeZone(): Promise<string | null>;
  /** Records the time zone. Call before the first `put`. */
  setTimeZone(timeZone: string): Promise<void>;
  /** The stored days, oldest first. Lists names only: no file is opened or fetched. */
  days(dataset: string): Promise<readonly StoredDay[]>;
  /** Paths on this machine of a day's files, in their order. A remote store fetches what is not here yet. */
  localFiles(dataset: string, day: StoredDay): Promise<readonly string[]>;
  /**
   * Adds a file to a day and returns the day with it. `write` creates the file at the path that it is given.
   * Readers see the whole file or none, and files that are there stay as they are. When `write` rejects, so does `put`,
   * and the day is as it was.
   */
  put(dataset: string, date: string, write: (path: string) => Promise<void>): Promise<StoredDay>;
  /** After this, these days survive a power loss, also those that a killed process has put. */
  persist(dataset: string, dates: Iterable<string>): Promise<void>;
  /**
   * Moves a file of a day that cannot be read out of readers' way; it is never deleted. Resolves to where it is now, for
   * people; null: it is not there any more.
   */
  setAside(dataset: string, date: string, file: string): Promise<string | null>;
  /** The days of which files were set aside and not put back since, oldest first, with these files. */
  damagedDays(dataset: string): Promise<readonly StoredDay[]>;
  /** Removes a day with all its files, also those that were set aside; one that is not there is fine. */
  delete(dataset: string, date: string): Promise<void>;
  /**
   * Removes what interrupted `put`s of a dataset left, and sets aside what has a file's name and is none. Call once, before
   * anything is put or read.
   */
  recover(dataset: string): Promise<void>;
}
