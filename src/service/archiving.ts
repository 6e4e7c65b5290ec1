import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ArchiveKeeper } from '../archive/keeper.js';
import type { Files } from '../volume/files.js';
import type { Service } from './service.js';

/** What keeps the data folder in its archive; null: the configuration names none. Nothing is asked of it yet. */
export async function createKeeper(
  { config, clock, logger, recorders }: Service,
  files: Files,
): Promise<ArchiveKeeper | null> {
  if (config.archive === null) return null;
  // Loaded only where there is an archive: the S3 client is not small.
  const { ArchiveKeeper } = await import('../archive/keeper.js');
  const { S3Objects } = await import('../archive/s3-objects.js');
  return new ArchiveKeeper({
    objects: new S3Objects(config.archive),
    dataDir: config.dataDir,
    files,
    holder: { name: `${hostname()}, process ${process.pid}`, token: randomUUID() },
    every: config.archive.every,
    tables: () => recorders,
    clock,
    logger,
  });
}
