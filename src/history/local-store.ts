import { basename, join } from 'node:path';
import type { Files } from '../volume/files.js';
import {
  archivedDaysFile,
  damagedDayFolder,
  damagedHistoryOf,
  dateOfDayFolder,
  dayFileName,
  dayFolder,
  dayOfPath,
  historyFolder,
  historyOf,
  historySchemaFile,
  isDayFile,
  isTemporary,
  temporaryPath,
  timeZoneFile,
} from '../volume/layout.js';
import { replaceFile, SnapshotFile } from '../volume/write.js';
import { inOrder, readArchivedDays, storedDays } from './archived-days.js';
import { ALL_HERE, type Hold, type KnownColumn } from './day-files.js';
import type { HistoryStore, StoredDay } from './store.js';

/** Sealed days in the data folder: `history/<dataset>/date=YYYY-MM-DD/YYYY-MM-DD.parquet`. */
export class LocalStore implements HistoryStore {
  readonly location: string;
  readonly #dataDir: string;
  readonly #files: Files;
  readonly #timeZoneFile: SnapshotFile;

  constructor(dataDir: string, files: Files) {
    this.location = historyFolder(dataDir);
    this.#dataDir = dataDir;
    this.#files = files;
    this.#timeZoneFile = new SnapshotFile(timeZoneFile(dataDir), files);
  }

  async timeZone(): Promise<string | null> {
    const content = await this.#timeZoneFile.read();
    return content?.toString('utf8').trim() || null;
  }

  async setTimeZone(timeZone: string): Promise<void> {
    await this.#files.makeFolder(historyFolder(this.#dataDir));
    await this.#timeZoneFile.replace(Buffer.from(`${timeZone}\n`));
  }

  async days(dataset: string): Promise<readonly StoredDay[]> {
    return this.#daysIn(historyOf(this.#dataDir, dataset), (date) => this.#filesOf(dataset, date));
  }

  async damagedDays(dataset: string): Promise<readonly StoredDay[]> {
    return this.#daysIn(damagedHistoryOf(this.#dataDir, dataset), async (date) => {
      const present = await this.#filesOf(dataset, date);
      return (await this.#damagedFilesOf(dataset, date)).filter((name) => !present.includes(name));
    });
  }

  pathsOf(dataset: string, { date, files }: StoredDay): readonly string[] {
    return files.map((name) => join(dayFolder(this.#dataDir, dataset, date), name));
  }

  async unreachableDays(dataset: string): Promise<readonly StoredDay[]> {
    const absent: StoredDay[] = [];
    for (const day of await this.archivedDays(dataset)) {
      const here = await this.#filesOf(dataset, day.date);
      const files = day.files.filter((name) => !here.includes(name));
      if (files.length > 0) absent.push({ date: day.date, files });
    }
    return absent;
  }

  /** The days that the folder lists as kept in an archive. */
  protected async archivedDays(dataset: string): Promise<readonly StoredDay[]> {
    const listed = await readArchivedDays(this.#files, archivedDaysFile(this.#dataDir, dataset));
    return storedDays(listed.flatMap(({ path }) => dayOfPath(path) ?? []));
  }

  tryHold(paths: readonly string[]): Hold | null {
    return ALL_HERE.tryHold(paths);
  }

  hold(paths: readonly string[]): Promise<Hold> {
    return ALL_HERE.hold(paths);
  }

  mayLeave(_path: string): boolean {
    return false;
  }

  mayChange(_path: string): boolean {
    return false;
  }

  departuresOf(_dataset: string): number {
    return 0;
  }

  columnsOf(_path: string): readonly KnownColumn[] | null {
    return null;
  }

  async learn(_columns: ReadonlyMap<string, readonly KnownColumn[]>): Promise<void> {}

  async discard(_path: string): Promise<boolean> {
    return false;
  }

  /** Adds a file as `HistoryStore.put` does. `more`: names of the day's files that are not here. */
  async put(
    dataset: string,
    date: string,
    write: (path: string) => Promise<void>,
    more: readonly string[] = [],
  ): Promise<StoredDay> {
    const folder = dayFolder(this.#dataDir, dataset, date);
    await this.#files.makeFolder(folder);
    const before = inOrder([...more, ...(await this.#filesOf(dataset, date))]);
    // A new file under a damaged one's name would look like that one put back.
    const taken = [...before, ...(await this.#damagedFilesOf(dataset, date))];
    const path = join(folder, freeName(date, taken));
    const temporary = temporaryPath(path);
    await write(temporary);
    await this.#sync(temporary);
    await this.#files.rename(temporary, path);
    return { date, files: [...before, basename(path)] };
  }

  async replace(
    { dataset, date, name }: { readonly dataset: string; readonly date: string; readonly name: string },
    write: (path: string) => Promise<void>,
    swap: (step: () => Promise<void>) => Promise<boolean>,
  ): Promise<boolean> {
    const folder = dayFolder(this.#dataDir, dataset, date);
    const path = join(folder, name);
    const temporary = temporaryPath(path);
    try {
      await write(temporary);
      await this.#sync(temporary);
      const isDone = await swap(async () => {
        // Retention may have deleted the day meanwhile.
        if ((await this.#files.stat(path)) !== null) await this.#files.rename(temporary, path);
      });
      if ((await this.#files.stat(path)) !== null) await this.#files.syncFolder(folder);
      return isDone;
    } finally {
      if ((await this.#files.stat(temporary)) !== null) await this.#files.remove(temporary);
    }
  }

  async schema(dataset: string): Promise<string | null> {
    const path = historySchemaFile(this.#dataDir, dataset);
    return (await this.#files.stat(path)) === null ? null : (await this.#files.readFile(path)).toString();
  }

  async noteSchema(dataset: string, text: string): Promise<void> {
    await replaceFile(this.#files, historySchemaFile(this.#dataDir, dataset), Buffer.from(text));
  }

  /** A file's name survives a power loss once its folder and all parent folders are synced. */
  async persist(dataset: string, dates: Iterable<string>): Promise<void> {
    for (const date of dates) await this.#files.syncFolder(dayFolder(this.#dataDir, dataset, date));
    await this.#files.syncFolder(historyOf(this.#dataDir, dataset));
    await this.#files.syncFolder(historyFolder(this.#dataDir));
    await this.#files.syncFolder(this.#dataDir);
  }

  async setAside(dataset: string, date: string, file: string): Promise<string | null> {
    const from = dayFolder(this.#dataDir, dataset, date);
    const to = damagedDayFolder(this.#dataDir, dataset, date);
    if ((await this.#files.stat(join(from, file))) === null) return null;
    await this.#files.makeFolder(to);
    const path = await this.#freePath(join(to, file));
    await this.#files.rename(join(from, file), path);
    for (const folder of [to, from]) await this.#files.syncFolder(folder);
    return path;
  }

  async delete(dataset: string, date: string): Promise<void> {
    await this.#files.removeFolder(dayFolder(this.#dataDir, dataset, date));
    await this.#files.removeFolder(damagedDayFolder(this.#dataDir, dataset, date));
  }

  async recover(dataset: string): Promise<void> {
    const folder = historyOf(this.#dataDir, dataset);
    const entries = await this.#files.list(folder);
    await this.#removeLeftovers(folder, entries);
    for (const entry of entries.filter((name) => dateOfDayFolder(name) !== null))
      await this.#removeLeftovers(join(folder, entry), await this.#files.list(join(folder, entry)));
    for (const { date, files } of await this.days(dataset)) {
      for (const name of files) await this.#setAsideUnlessFile(dataset, date, name);
    }
  }

  async #removeLeftovers(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names.filter(isTemporary)) await this.#files.remove(join(folder, name));
  }

  /** DuckDB would wait for a named pipe for ever. */
  async #setAsideUnlessFile(dataset: string, date: string, name: string): Promise<void> {
    const state = await this.#files.stat(join(dayFolder(this.#dataDir, dataset, date), name));
    if (state?.isFile === false) await this.setAside(dataset, date, name);
  }

  /** The days in a folder with Hive's layout for which `filesOf` finds files, oldest first. */
  async #daysIn(folder: string, filesOf: (date: string) => Promise<string[]>): Promise<StoredDay[]> {
    const found: StoredDay[] = [];
    for (const entry of await this.#files.list(folder)) {
      const date = dateOfDayFolder(entry);
      const files = date === null ? [] : await filesOf(date);
      if (date !== null && files.length > 0) found.push({ date, files });
    }
    return found.sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  #filesOf(dataset: string, date: string): Promise<string[]> {
    return this.#dayFiles(dayFolder(this.#dataDir, dataset, date));
  }

  #damagedFilesOf(dataset: string, date: string): Promise<string[]> {
    return this.#dayFiles(damagedDayFolder(this.#dataDir, dataset, date));
  }

  async #dayFiles(folder: string): Promise<string[]> {
    return inOrder((await this.#files.list(folder)).filter(isDayFile));
  }

  /** `path`, or the first free one with `.2` and so on appended. */
  async #freePath(path: string): Promise<string> {
    for (let number = 1; ; number++) {
      const free = number === 1 ? path : `${path}.${number}`;
      if ((await this.#files.stat(free)) === null) return free;
    }
  }

  async #sync(path: string): Promise<void> {
    const file = await this.#files.open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** `2026-11-24.parquet`, or the first free name of `2026-11-24-2.parquet` and so on. */
function freeName(date: string, taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = dayFileName(date, number);
    if (!taken.includes(name)) return name;
  }
}
