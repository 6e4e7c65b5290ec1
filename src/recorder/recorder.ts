import type { DynamoCsvError } from '../base/errors.js';
import type { Column } from '../csv/rows.js';
import type { Relation } from '../datasets/relation.js';
import type { Reading } from '../sources/source.js';
import type { AppendedWriter } from './appended-writer.js';
import type { Recorded } from './poll.js';

/** Records the polls of one source. */
export interface Recorder {
  /** Snapshot or log first, then the others. */
  readonly datasets: readonly Relation[];
  readonly log: AppendedWriter | null;
  readonly changes: AppendedWriter | null;
  /** The table's own columns known so far, for the source. */
  readonly known: readonly Column[];
  /** Where the source continues: the position of the last poll on the volume; null: a full reading is needed. */
  readonly position: string | null;
  /** Why nothing is recorded and nothing served until the next start; null: the files are open. */
  readonly brokenBy: DynamoCsvError | null;
  /** Records one poll that began at that time, in milliseconds since the epoch. */
  record(reading: Reading, startedAt: number): Promise<Recorded>;
  /** Runs `work` while nothing of the table is being written, with the paths of all its files, whether they exist or not. */
  atRest<T>(work: (paths: readonly string[]) => Promise<T>): Promise<T>;
  /** Closes the files. No poll may be running. */
  close(): Promise<void>;
}
