import { isoTime } from '../base/clock.js';
import { detachFiles } from '../volume/detach.js';
import { nodeFiles } from '../volume/files.js';
import { thisProcess, type VolumeLock } from '../volume/lock.js';
import { openVolume, type Volume } from '../volume/volume.js';
import type { Service } from './service.js';

/** Locks the data folder, unless this process has the lock already. `wasForced`: another process may still write there. */
export async function takeVolume(
  { config, clock, logger }: Service,
  held: VolumeLock | null = null,
  wasForced = false,
): Promise<Volume> {
  const volume = await openVolume(config.dataDir, thisProcess(isoTime(clock.now())), nodeFiles, held);
  const { leftovers, lockKeptAt } = volume;
  if (lockKeptAt !== null)
    logger.warn(
      { keptAt: lockKeptAt },
      'moved something aside that is not a file and has the name of the lock file',
    );
  if (leftovers.length > 0) logger.info({ files: leftovers }, 'removed incomplete temporary files');
  try {
    if (wasForced) await detachFiles(config.dataDir, nodeFiles);
    return volume;
  } catch (error) {
    await volume.release();
    throw error;
  }
}

/** Checks, before each write, that the data folder is still the one that this service has locked. */
export function volumeCheck(volume: Volume, { config, logger }: Service): () => Promise<void> {
  return async () => {
    if ((await volume.check()) === 'moved')
      logger.warn(
        { dataDir: config.dataDir },
        'the data folder was replaced while this service runs: locked it again',
      );
  };
}
