import type { Logger } from '../base/logger.js';
import type { ItemTime } from '../csv/item-time.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Files } from '../volume/files.js';
import { baselineFile, csvFile, deletedFile, stateFile } from '../volume/layout.js';
import type { DeclaredTypes } from './column-types.js';

/** What is recorded for one source, and where. */
export interface RecorderOptions {
  /** Published name; `<name>.csv` is its file. */
  readonly name: string;
  /** The source's title: by it the files of this source are recognised. */
  readonly source: string;
  /** What people see as the source; absent: the title. */
  readonly shownAs?: string;
  readonly dataDir: string;
  readonly files: Files;
  readonly health: PollHealth;
  readonly logger: Logger;
  /** Rejects if the data folder is no longer this service's; called before each poll is written. */
  readonly checkVolume?: () => Promise<void>;
  /** Bytes per second at which the items' file is replaced at most, on average, while deltas are applied. */
  readonly writeRate?: number;
  /** Keep every poll's rows instead of only the latest poll's. */
  readonly log: boolean;
  /** Name of the log in addition to the snapshot; null: the log replaces the snapshot under `name`. */
  readonly logName?: string;
  /** With a log alone: readings have new items only, and the log keeps the position of the last one. */
  readonly newItemsOnly?: boolean;
  /** With `log`: append items that are new since the last poll, instead of every poll's rows. Needs `time`. */
  readonly append?: boolean;
  /** The attribute that is the time of the items; null or absent: they have none. */
  readonly time?: ItemTime | null;
  /** Where the configuration has the options of this source, for people: `tables.orders`; absent: nowhere. */
  readonly optionsAt?: string;
  /** Keep `<name>-changes` too. */
  readonly changes: boolean;
  /** Whether readings know when each change happened: then the changes have the column `changed_at`. */
  readonly exactTimes?: boolean;
  /** Columns that exist before a value was seen, in this order after the keys. */
  readonly configured: readonly string[];
  /** Declared types by published column; absent: none. */
  readonly types?: DeclaredTypes;
  /** Name of the added time column, null for `timestamp`. */
  readonly timestampColumn: string | null;
}

/** The column by whose times a log of new items is kept; null: it is a log of polls, or there is none. */
export function appendedBy({
  log,
  append,
  time,
}: Pick<RecorderOptions, 'log' | 'append' | 'time'>): string | null {
  return log && append === true && time != null ? time.column : null;
}

/** A dataset that a source is recorded into; `<dataset>.csv` is its file. */
export interface Place {
  /** Published name. */
  readonly dataset: string;
  readonly kind: 'snapshot' | 'log' | 'changes';
}

/** Where a source is recorded: snapshot or log first, then the others. */
export function placesOf({
  name,
  logName,
  log,
  changes,
}: Pick<RecorderOptions, 'name' | 'logName' | 'log' | 'changes'>): readonly Place[] {
  const hasSnapshot = !log || logName !== undefined;
  return [
    ...(hasSnapshot ? [{ dataset: name, kind: 'snapshot' as const }] : []),
    ...(log ? [{ dataset: logName ?? name, kind: 'log' as const }] : []),
    ...(changes ? [{ dataset: `${name}-changes`, kind: 'changes' as const }] : []),
  ];
}

/** Every file of a source on the volume but its sealed days, whether it exists or not. */
export function pathsOf(options: Omit<RecorderOptions, 'files'>): readonly string[] {
  const { dataDir, name } = options;
  return [
    stateFile(dataDir, name),
    baselineFile(dataDir, name),
    deletedFile(dataDir, name),
    ...placesOf(options).map(({ dataset }) => csvFile(dataDir, dataset)),
  ];
}
