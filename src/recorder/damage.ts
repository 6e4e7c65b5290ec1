import { basename, dirname, parse } from 'node:path';
import { fileNotWritten } from '../volume/errors.js';
import {
  baselineFile,
  csvFile,
  damagedFolder,
  deletedFile,
  journalFile,
  stateFile,
} from '../volume/layout.js';
import { keepAside, moveAside } from '../volume/write.js';
import type { Place, RecorderOptions } from './recorder-options.js';

type Options = Pick<RecorderOptions, 'dataDir' | 'files'>;

/** Moves a damaged file to `damaged/`; returns where it is now. */
export async function moveDamaged(path: string, { dataDir, files }: Options): Promise<string> {
  try {
    return await moveAside(files, path, damagedFolder(dataDir));
  } catch (error) {
    throw fileNotWritten(path, error);
  }
}

/** Keeps bytes of the file at `path` in `damaged/`, as `<name>.<what>.csv` or, if it is the whole file, under its own name. */
export async function keepDamaged(
  path: string,
  what: string | null,
  bytes: Buffer,
  { dataDir, files }: Options,
): Promise<string> {
  const folder = damagedFolder(dataDir);
  const { name, ext } = parse(basename(path));
  try {
    await files.makeFolder(folder);
    await files.syncFolder(dirname(folder));
    return await keepAside(files, folder, what === null ? basename(path) : `${name}.${what}${ext}`, bytes);
  } catch (error) {
    throw fileNotWritten(path, error);
  }
}

/** Moves whatever has the path of one of this source's files but is not a file (a folder, a named pipe) to `damaged/`. */
export async function moveNonFilesAside(places: readonly Place[], options: RecorderOptions): Promise<void> {
  const { name, dataDir, files, logger } = options;
  const csvFiles = places.map(({ dataset }) => csvFile(dataDir, dataset));
  const notes = [stateFile(dataDir, name), baselineFile(dataDir, name), deletedFile(dataDir, name)];
  for (const path of [...csvFiles, ...csvFiles.map(journalFile), ...notes]) {
    if ((await files.stat(path))?.isFile !== false) continue;
    const keptAt = await moveDamaged(path, options);
    logger.warn(
      { dataset: name, path, keptAt },
      'moved something aside that is not a file and has the name of one',
    );
  }
}
