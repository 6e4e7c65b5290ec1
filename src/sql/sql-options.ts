import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Dataset } from '../datasets/dataset.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { DayFiles } from '../history/day-files.js';
import type { DamagedFile } from '../history/parquet-files.js';
import type { EngineViewText } from './view-file.js';

/** What the SQL room needs from the service. */
export interface SqlOptions {
  /** The data folder. */
  readonly dataDir: string;
  /** An IANA name. */
  readonly timeZone: string;
  /** The datasets that SQL sees; they may be added later. */
  readonly registry: DatasetRegistry;
  /** Removes an unreadable file from its dataset's sealed days; absent: queries that need it fail. */
  readonly damagedFile?: (file: DamagedFile) => Promise<void>;
  /** Opens a view that another engine computes; absent: such views are left out. */
  readonly engineView?: (view: EngineViewText) => Promise<Dataset>;
  /** Brings the files of sealed days here; absent: all are. */
  readonly storedDays?: DayFiles;
  /** Another folder that may have such files; null or absent: there is none. */
  readonly copiesDir?: string | null;
  readonly clock: Clock;
  readonly logger: Logger;
}
