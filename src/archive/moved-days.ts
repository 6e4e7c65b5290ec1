import { readdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { type ArchivedDay, readArchivedDays } from '../history/archived-days.js';
import type { Files } from '../volume/files.js';
import { dayFolderName, dayOfPath, isArchivedDaysFile, takenOverFolder } from '../volume/layout.js';
import { replaceFile } from '../volume/write.js';
import type { ObjectStore } from './objects.js';
import { fetchDay } from './restore.js';

/**
 * A history that was moved to `taken-over/` takes its archived days along: they are fetched there, since the archive keeps
 * them only for the history that they were in. Call it before a point is taken without them.
 */
export class MovedDays {
  readonly #objects: ObjectStore;
  readonly #dataDir: string;
  readonly #files: Files;
  readonly #logger: Logger;
  /** Lists with days that the archive does not have as it should; logged once. */
  readonly #stuck = new Set<string>();

  constructor(objects: ObjectStore, dataDir: string, files: Files, logger: Logger) {
    this.#objects = objects;
    this.#dataDir = dataDir;
    this.#files = files;
    this.#logger = logger;
  }

  /** Rejects as a request to the archive does, or as the disk does; call it again then. */
  async bring(signal: AbortSignal): Promise<void> {
    for (const list of await this.#lists()) {
      if (this.#stuck.has(list)) continue;
      const days = await readArchivedDays(this.#files, list);
      let isAll = true;
      for (const day of days) isAll = (await this.#bringDay(day, list, signal)) && isAll;
      if (!isAll) this.#stuck.add(list);
      else await this.#files.remove(list);
      const facts = { folder: dirname(list), days: days.length };
      if (isAll) this.#logger.info(facts, 'fetched the archived days of a history that was moved');
    }
  }

  async #lists(): Promise<string[]> {
    const folder = takenOverFolder(this.#dataDir);
    try {
      const entries = await readdir(folder, { recursive: true });
      return entries
        .map((name) => join(folder, name))
        .filter((path) => isArchivedDaysFile(relative(this.#dataDir, path).replaceAll(sep, '/')));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async #bringDay(day: ArchivedDay, list: string, signal: AbortSignal): Promise<boolean> {
    const place = dayOfPath(day.path);
    if (place === null) return true;
    const path = join(dirname(list), dayFolderName(place.date), place.file);
    if ((await this.#files.stat(path)) !== null) return true;
    try {
      const bytes = await fetchDay(this.#objects, day, signal);
      await this.#files.makeFolder(dirname(path));
      await replaceFile(this.#files, path, bytes);
      return true;
    } catch (error) {
      if (!(error instanceof DynamoCsvError) || error.code !== 'ARCHIVE_DAMAGED') throw error;
      this.#logger.error({ file: path }, describeError(error));
      return false;
    }
  }
}
