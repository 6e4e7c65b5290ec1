import { constants } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Files } from './files.js';
import { isTemporary, lockFile, ownFolder, successionFile, temporaryPath } from './layout.js';

/**
 * Replaces each file directly in the data folder by a copy of itself, so that a process which was frozen in the middle of
 * a write, and goes on with it, changes the old ones, which nobody reads any more. Sealed days are never written again and
 * stay. On file systems that can, the copies share their content with the originals.
 */
export async function detachFiles(dir: string, files: Files): Promise<void> {
  const keep = new Set([lockFile(dir), successionFile(dir)]);
  for (const folder of [dir, ownFolder(dir)]) {
    for (const name of await files.list(folder)) {
      const path = join(folder, name);
      const state = await files.stat(path);
      if (state?.isFile !== true || isTemporary(name) || keep.has(path)) continue;
      await replaceByCopy(path, files);
    }
    await files.syncFolder(folder);
  }
}

async function replaceByCopy(path: string, files: Files): Promise<void> {
  const temporary = temporaryPath(path);
  await files.remove(temporary);
  await copyFile(path, temporary, constants.COPYFILE_FICLONE);
  const copy = await open(temporary, 'r+');
  try {
    await copy.datasync();
  } finally {
    await copy.close();
  }
  await files.rename(temporary, path);
}
