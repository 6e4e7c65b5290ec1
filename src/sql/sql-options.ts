import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { DamagedFile } from '../history/parquet-files.js';

/** What SQL needs of the service. */
export interface SqlOptions {
  /** The volume's folder. */
  readonly dataDir: string;
  /** An IANA name. */
  readonly timeZone: string;
  /** The datasets that SQL sees; they may be added later. */
  readonly registry: DatasetRegistry;
  /** Takes a sealed file that cannot be read out of its dataset's days; absent: queries that need it fail. */
  readonly damagedFile?: (file: DamagedFile) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}
