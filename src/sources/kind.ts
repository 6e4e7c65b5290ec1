import type { TSchema } from 'typebox';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { ItemTime } from '../csv/item-time.js';
import type { ColumnType } from '../csv/rows.js';
import type { MistakeReport, Path } from '../options/mistakes.js';
import type { Keeping } from './keeping.js';
import type { SharedResources } from './shared-resources.js';
import type { ReadingCost, Source } from './source.js';

/**
 * A kind of source: everything that is particular to it. Each is a folder of `sources` that exports one, and a line in
 * `index.ts`.
 *
 * `Options`: what the configuration file has under `key`, valid by the schema. `Settings`: the same with every default
 * applied, as the configuration publishes it under `key`.
 */
export interface SourceKind<Key extends string = string, Options = unknown, Settings = unknown> {
  /** The option of the configuration file: `tables`. */
  readonly key: Key;
  /** The schema of that option's value, with descriptions. */
  readonly schema: TSchema;
  /** `options`: undefined where the file does not have the option. */
  settings(options: Options | undefined): Settings;
  /** Reports options that are right alone and wrong together. */
  checkAgreement(options: Options | undefined, report: MistakeReport): void;
  /** The sources that the settings describe, in the order of the catalogue. Nothing is asked of anybody yet. */
  configure(settings: Settings): readonly ConfiguredSource[];
}

/** A source as configured. */
export interface ConfiguredSource {
  /** The source's title, without opening it: a recorder recognises by it whose data it continues. */
  readonly title: string;
  /** What `--check` calls it: `table flag-dynamodb`. */
  readonly label: string;
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
  readonly recording: Recording;
  readonly keeping: Keeping;
  /** The names of its datasets. */
  readonly published: readonly PublishedName[];
  /** Whether its polls consume read capacity units. */
  readonly consumesReadUnits: boolean;
  /** What the Python script may have left of it; null: the script never read this source. */
  readonly pythonScript: PythonScriptTable | null;
  /** Opens it. Nothing is read yet; code and SDK clients of its kind are loaded here. */
  open(context: SourceContext): Promise<OpenedSource>;
  /** What `--check` finds out about it. Rejects with a `DynamoCsvError`, or with the signal's reason. */
  check(context: CheckContext): Promise<SourceCheck>;
}

/** How the polls of a source are kept: what a recorder needs to know of the configuration. */
export interface Recording {
  /** Published name of the snapshot, or of the log that takes its place. */
  readonly name: string;
  /** What people see as the source, where the title leaves out a part: `index by-day of DynamoDB table orders`. */
  readonly shownAs?: string;
  readonly log: boolean;
  /** Name of a log that is kept beside the snapshot. */
  readonly logName?: string;
  /** Whether the readings are `append`: the log grows by new items, and there is no snapshot. */
  readonly newItemsOnly?: boolean;
  /** With `log`: append items that are new since the last poll, instead of every poll's rows. */
  readonly append?: boolean;
  /** The attribute that is the time of the items; null or absent: they have none. */
  readonly time?: ItemTime | null;
  /** Where the configuration has its options, for people: `tables.orders`. */
  readonly optionsAt?: string;
  readonly changes: boolean;
  /** Whether readings know when each change happened: then the changes have the column `changed_at`. */
  readonly exactTimes?: boolean;
  /** Published names of columns that exist before a value was seen, in this order after the keys. */
  readonly configured: readonly string[];
  /** The types that the configuration declares, by published column; absent: none. */
  readonly types?: Readonly<Record<string, ColumnType>>;
  /** Null: the default, or another name where the table has an attribute of that name. */
  readonly timestampColumn: string | null;
}

/** A name that a source publishes. */
export interface PublishedName {
  readonly name: string;
  /** Whose name it is: `table orders`, `the changes of table orders`. */
  readonly by: string;
  /** Where the configuration decides on it. */
  readonly path: Path;
  /** Whether it is derived from another name (a log or changes of a snapshot): of two equal names, this one is dropped. */
  readonly derived: boolean;
}

/** A table as the Python script published it. */
export interface PythonScriptTable {
  readonly table: string;
  readonly rename: Readonly<Record<string, string>>;
  readonly timeColumn: string | null;
}

export interface SourceContext {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The time zone of days: a name of the IANA time zone database. */
  readonly timeZone: string;
  /** What the sources of one service share, such as threads. */
  readonly shared: SharedResources;
  /** The share of a provisioned capacity that its polls may take; absent: all of it. */
  readonly capacityShare?: number;
}

export interface OpenedSource {
  readonly source: Source;
  /** US dollars for so much reading; 0 where it is not billed. */
  price(cost: Pick<ReadingCost, 'readCapacityUnits' | 'metricsRequested' | 'streamReads'>): number;
  /**
   * Asks what a poll would need, without reading. Rejects with a `DynamoCsvError`, or with the signal's reason. Absent:
   * that is only known after a poll.
   */
  expect?(signal: AbortSignal): Promise<PollExpectation>;
}

/** What a poll of a source will probably need. */
export interface PollExpectation {
  readonly items: number;
  readonly bytes: number;
  /** Read capacity units. */
  readonly unitsPerPoll: number;
  /** US dollars; 0 where reading is not billed. */
  readonly usdPerPoll: number;
  /** Milliseconds between two polls that leave three quarters of a provisioned capacity to others; 0: no such limit. */
  readonly shortestInterval: number;
}

export interface CheckContext {
  readonly clock: Clock;
  /** The time zone of days: a name of the IANA time zone database. */
  readonly timeZone: string;
  /** Names of columns that earlier polls have seen values of; empty before the first poll. */
  readonly seen: readonly string[];
  /** The share of a provisioned capacity that polls on a budget may take; absent: it has no budget. */
  readonly capacityShare?: number;
  readonly signal: AbortSignal;
}

/** What `--check` found out about a source. What is not known is null. */
export interface SourceCheck {
  /** Key attributes with their types: `counter_type S`. */
  readonly keys: string | null;
  readonly items: number | null;
  readonly bytes: number | null;
  /** Read capacity units of one poll; 0 for other sources than tables. */
  readonly unitsPerPoll: number | null;
  /** US dollars at the configured interval. */
  readonly pricePerMonth: number | null;
  /** Milliseconds between two polls that a budget may choose at least; absent: the configured interval. */
  readonly shortestInterval?: number;
  /** What is wrong, with its remedy, on one line; null: nothing. */
  readonly problem: string | null;
  /** What looks like a mistake but may be right; null: nothing. */
  readonly notice: string | null;
  /** The ways to read it, the configured one among them; absent: there is one only. */
  readonly ways?: readonly ReadWay[];
}

/** A way to read a source, for comparison. */
export interface ReadWay {
  /** `Scan of index by-status`. */
  readonly name: string;
  readonly isConfigured: boolean;
  /** Of one poll; null: it has none, or they are unknown. */
  readonly unitsPerPoll: number | null;
  /** US dollars at the configured interval; null: unknown. */
  readonly pricePerMonth: number | null;
  /** What differs from the other ways; null: nothing. */
  readonly note: string | null;
}
