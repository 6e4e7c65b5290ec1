import type { ArchiveSettings } from '../archive/options.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { nodeFiles } from '../volume/files.js';
import { EngineViews } from './engine-views.js';
import type { GlueCatalog } from './glue-catalog.js';
import type { AthenaSettings } from './options.js';

/** What of the configuration these views depend on. */
export interface EnginesConfig {
  readonly dataDir: string;
  readonly athena: AthenaSettings | null;
  readonly archive: ArchiveSettings | null;
}

/** The views of a service that other engines compute; nothing of AWS is loaded before one of them runs. */
export function openEngineViews(
  { dataDir, athena, archive }: EnginesConfig,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): EngineViews {
  const isKept = athena?.isCatalogKept === true && archive !== null;
  const openCatalog = isKept ? () => catalogOf(athena, archive, logger) : null;
  return new EngineViews({ athena, openCatalog, dataDir, files: nodeFiles, clock, logger });
}

async function catalogOf(
  athena: AthenaSettings,
  archive: ArchiveSettings,
  logger: Logger,
): Promise<GlueCatalog> {
  const { S3Objects } = await import('../archive/s3-objects.js');
  const { GlueCatalog } = await import('./glue-catalog.js');
  return new GlueCatalog(athena, new S3Objects(archive), logger);
}
