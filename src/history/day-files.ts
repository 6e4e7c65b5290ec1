/** Files that stay on this machine until they are released. */
export interface Hold {
  /** Calling it again has no effect. */
  release(): void;
}

/** A column of a sealed day's file, as it is known without the file. */
export interface KnownColumn {
  readonly name: string;
  /** Its type in DuckDB's words: `BIGINT`. */
  readonly type: string;
  /** For BIGINT: whether each number is the same as DOUBLE. */
  readonly isExactInDouble: boolean;
  /** For text: what DuckDB answers to `shownTests`, were it a column of numbers. */
  readonly asNumbers?: readonly boolean[];
  /**
   * A column with which the day was sealed, of a file that was written again in the schema of other days (`OneSchema`). Its
   * columns now are listed beside these.
   */
  readonly isSealedAs?: true;
}

/**
 * The files of sealed days, for who reads them: some may be in an archive only, and are fetched when they are needed. Files
 * are named by the paths that `HistoryStore.pathsOf` gives; a path that the store does not know counts as being here.
 */
export interface DayFiles {
  /** Keeps files on this machine until they are released; null: some of them are not here. */
  tryHold(paths: readonly string[]): Hold | null;
  /**
   * The same, after fetching those that are not here, several at once. Rejects with an error that names a day which cannot be
   * fetched, or with the signal's reason. All of it takes limited time.
   */
  hold(paths: readonly string[], signal?: AbortSignal): Promise<Hold>;
  /** Whether a file may leave this machine while nobody holds it. */
  mayLeave(path: string): boolean;
  /**
   * Whether another service may replace a file by one with the same rows, whose columns have other names, or take it away
   * once the day can be found elsewhere.
   */
  mayChange(path: string): boolean;
  /** Changes when files of a dataset became ones that may leave. */
  departuresOf(dataset: string): number;
  /** The columns of a file as far as they are known without reading it; null: they are not. */
  columnsOf(path: string): readonly KnownColumn[] | null;
  /** Remembers the columns of files that may leave. */
  learn(columns: ReadonlyMap<string, readonly KnownColumn[]>): Promise<void>;
}

const NOTHING: Hold = { release() {} };

/** All files are here, and stay. */
export const ALL_HERE: DayFiles = {
  tryHold: () => NOTHING,
  hold: async () => NOTHING,
  mayLeave: () => false,
  mayChange: () => false,
  departuresOf: () => 0,
  columnsOf: () => null,
  learn: async () => {},
};
