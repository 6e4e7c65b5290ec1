import type { ArchiveStatus, CopiedDays } from '../archive/keeper.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { BudgetPace } from '../budget/budget.js';
import type { Collector } from '../collect/collector.js';
import type { CollectorDatasetOptions } from '../collect/collector-dataset.js';
import type { DamagedFile } from '../history/parquet-files.js';
import type { DatasetCost } from '../http/options.js';

/** What a service reads. */
export interface Reading {
  /** Resolves when tables have been looked for the first time; at once if there are none to find. */
  readonly firstLook: Promise<void>;
  /** In the order of the catalogue. */
  sources(): readonly PolledSource[];
  /** Tables that were found and cannot be read, with the reason. */
  skipped(): ReadonlyMap<string, DynamoCsvError>;
  /** Why no tables could be listed; null: they could, or there are none to find. */
  problem(): DynamoCsvError | null;
  /** US dollars per month that polls may cost; null: no limit. */
  readonly usdPerMonth: number | null;
}

/** A source that is polled, with what that costs. */
export interface PolledSource {
  readonly title: string;
  readonly collector: Collector;
  readonly pace: BudgetPace;
}

/** What a service does in one role. It has shown its datasets; what it follows or polls begins with `start`. */
export interface Body {
  readonly role: 'collect' | 'follow';
  readonly reading: Reading;
  /** What the dataset `collector` shows. */
  readonly sources: CollectorDatasetOptions['sources'];
  /** US dollars that a source has spent this month, by its first dataset. */
  spentBy(dataset: string): number;
  /** DynamoDB read capacity units of a dataset since local midnight; null if this service does not read it. */
  readUnitsToday(dataset: string): number | null;
  costOf(dataset: string): DatasetCost | null;
  /** How the archive that this service writes to is doing; null: it writes to none. */
  readonly archive: ArchiveStatus | null;
  /** The archived days that it has fetched. */
  readonly copied: CopiedDays;
  /** A sealed day's file that cannot be read. */
  setAside(file: DamagedFile): Promise<void>;
  /** Milliseconds by which the data is behind that of the service which collects; 0 for that one itself. Null: unknown. */
  readonly behind: number | null;
  /** Resolves with the reason when it has to end: another service has the data folder now, or the archive. */
  readonly lost: Promise<DynamoCsvError>;
  /** Shows the service's own log too, after the dataset `collector`. */
  showLog(): void;
  start(): void;
  /** Ends its loops, within five seconds. */
  stop(): Promise<void>;
  /** Stops, and frees the data folder. */
  close(): Promise<void>;
}
