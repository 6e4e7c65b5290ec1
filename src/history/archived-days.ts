import { relative, sep } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { SerialQueue } from '../base/serial-queue.js';
import { type Files, readUnlessGone } from '../volume/files.js';
import { archivedDaysFile, dayOfPath, historyFolder, historyOf } from '../volume/layout.js';
import { replaceFile } from '../volume/write.js';
import type { KnownColumn } from './day-files.js';
import { archivedDaysUnreadable } from './errors.js';
import type { StoredDay } from './store.js';

const Size = Type.Integer({ minimum: 0 });

/** Relative to the data folder, with slashes; never leads out of it. */
export const ArchivedPath = Type.String({
  minLength: 1,
  pattern: '^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\\\\\u0000]+$',
});
export const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** Columns that several days have in common, each list once. */
export const Layouts = Type.Array(
  Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.String(),
      isExactInDouble: Type.Boolean(),
      asNumbers: Type.Optional(Type.Array(Type.Boolean())),
      isSealedAs: Type.Optional(Type.Literal(true)),
    }),
  ),
);
/**
 * Sealed days with the hashes of their files. `layout`: which of the layouts a file has; `rows`: how many it has; absent:
 * nobody knows.
 */
export const PackedDays = Type.Array(
  Type.Object({
    path: ArchivedPath,
    size: Size,
    hash: Hash,
    layout: Type.Optional(Size),
    rows: Type.Optional(Size),
  }),
);

const Listed = Type.Object({ format: Type.Literal(1), layouts: Layouts, days: PackedDays });

/** The file of a sealed day as an archive keeps it. */
export interface ArchivedDay {
  /** Relative to the data folder, with slashes; also the key of its object. */
  readonly path: string;
  readonly size: number;
  /** SHA-256, as hexadecimal digits. */
  readonly hash: string;
  /** Null: nobody has looked. */
  readonly columns: readonly KnownColumn[] | null;
  /** How many rows the file has; absent: nobody has looked. */
  readonly rows?: number;
}

/** What of a sealed day's file is kept with it in an archive. */
export type DescribedDay = Required<Pick<ArchivedDay, 'rows'>> & { readonly columns: readonly KnownColumn[] };

/** The days that these files belong to, oldest first, each file once. */
export function storedDays(files: Iterable<{ readonly date: string; readonly file: string }>): StoredDay[] {
  const byDate = new Map<string, string[]>();
  for (const { date, file } of files) byDate.set(date, [...(byDate.get(date) ?? []), file]);
  return [...byDate]
    .map(([date, names]) => ({ date, files: inOrder(names) }))
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

/** Each name once: `2026-11-24.parquet` before `2026-11-24-2.parquet`, and that before `2026-11-24-10.parquet`. */
export function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/** Days in the form in which files and points hold them. */
export function packDays(days: Iterable<ArchivedDay>): {
  layouts: Static<typeof Layouts>;
  days: Static<typeof PackedDays>;
} {
  const numbers = new Map<string, number>();
  const packed = [...days].map(({ columns, path, size, hash, rows }) => {
    // Members in one order: points are compared as text.
    const day = { path, size, hash, ...(rows === undefined ? {} : { rows }) };
    if (columns === null) return day;
    const text = JSON.stringify(columns);
    const layout = numbers.get(text) ?? numbers.size;
    numbers.set(text, layout);
    return { ...day, layout };
  });
  return { layouts: [...numbers.keys()].map((text) => JSON.parse(text)), days: packed };
}

export function unpackDays({
  layouts = [],
  days,
}: {
  readonly layouts?: Static<typeof Layouts> | undefined;
  readonly days: Static<typeof PackedDays>;
}): ArchivedDay[] {
  return days.map(({ layout, ...day }) => ({
    ...day,
    columns: layout === undefined ? null : (layouts[layout] ?? null),
  }));
}

/** The days that the list at that path names; none if there is no such file. */
export async function readArchivedDays(files: Files, path: string): Promise<ArchivedDay[]> {
  if ((await files.stat(path)) === null) return [];
  // Another service removes it when the last day comes back.
  const bytes = await readUnlessGone(files, path);
  if (bytes === null) return [];
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (Value.Check(Listed, value)) return unpackDays(value);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw archivedDaysUnreadable(path);
}

/**
 * Which sealed days the archive keeps for this folder. A day that is listed is in the archive as its hash says, so its file
 * here is a copy that may be removed at any time. A file that is not listed is the only one that counts.
 *
 * The list of a dataset is in its history's folder and moves with it. It is written before a file is removed, and after one
 * was brought back.
 */
export class ArchivedDays {
  readonly #dataDir: string;
  /** Null: the lists are another service's, and only remembered here. */
  readonly #files: Files | null;
  /** By dataset, and by path relative to the data folder. */
  readonly #days = new Map<string, Map<string, ArchivedDay>>();
  /** By dataset: how often days were added. */
  readonly #additions = new Map<string, number>();
  readonly #queue = new SerialQueue();

  private constructor(dataDir: string, files: Files | null) {
    this.#dataDir = dataDir;
    this.#files = files;
  }

  static async open(dataDir: string, files: Files): Promise<ArchivedDays> {
    const days = new ArchivedDays(dataDir, files);
    for (const dataset of await files.list(historyFolder(dataDir))) {
      if ((await files.stat(historyOf(dataDir, dataset)))?.isFile === false) await days.reload(dataset);
    }
    return days;
  }

  /** None yet, and none are written. */
  static inMemory(dataDir: string): ArchivedDays {
    return new ArchivedDays(dataDir, null);
  }

  get(path: string): ArchivedDay | undefined {
    const dataset = dayOfPath(path)?.dataset;
    return dataset === undefined ? undefined : this.#days.get(dataset)?.get(path);
  }

  /** The same by a path on this machine. */
  at(path: string): ArchivedDay | undefined {
    return this.get(relative(this.#dataDir, path).replaceAll(sep, '/'));
  }

  of(dataset: string): Iterable<ArchivedDay> {
    return this.#days.get(dataset)?.values() ?? [];
  }

  *[Symbol.iterator](): Iterator<ArchivedDay> {
    for (const days of this.#days.values()) yield* days.values();
  }

  /** Changes when days of a dataset were added. */
  additionsTo(dataset: string): number {
    return this.#additions.get(dataset) ?? 0;
  }

  /** Forgets datasets whose folders were moved. */
  async forgetMoved(): Promise<void> {
    for (const [dataset, days] of this.#days) {
      if (days.size === 0 || this.#files === null) continue;
      const list = await this.#files.stat(archivedDaysFile(this.#dataDir, dataset));
      if (list === null) await this.reload(dataset);
    }
  }

  /** Reads a dataset's list again: its folder may have been moved. */
  reload(dataset: string): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#files === null) return;
      const found = await readArchivedDays(this.#files, archivedDaysFile(this.#dataDir, dataset));
      this.#days.set(dataset, new Map(found.map((day) => [day.path, day])));
    });
  }

  /** Lists days, in place of those with the same paths. Once it resolves, this survives a power loss. */
  async add(days: Iterable<ArchivedDay>): Promise<void> {
    const added = [...days];
    await this.#change(added, (listed, day) => listed.set(day.path, day));
    for (const dataset of new Set(added.map(({ path }) => dayOfPath(path)?.dataset ?? '')))
      this.#additions.set(dataset, this.additionsTo(dataset) + 1);
  }

  /** Lists these days and no others. */
  async replace(days: readonly ArchivedDay[]): Promise<void> {
    const kept = new Set(days.map(({ path }) => path));
    await this.drop([...this].filter(({ path }) => !kept.has(path)));
    await this.add(days.filter((day) => !isSame(day, this.get(day.path))));
  }

  /** Replaces days that are still listed by the same ones with their columns. */
  describe(days: Iterable<ArchivedDay>): Promise<void> {
    return this.#change(days, (listed, day) => {
      if (listed.has(day.path)) listed.set(day.path, day);
    });
  }

  /** Takes days off the list. */
  drop(days: Iterable<Pick<ArchivedDay, 'path'>>): Promise<void> {
    return this.#change(days, (listed, { path }) => listed.delete(path));
  }

  #change<Day extends { readonly path: string }>(
    days: Iterable<Day>,
    change: (listed: Map<string, ArchivedDay>, day: Day) => void,
  ): Promise<void> {
    return this.#queue.run(async () => {
      const changed = new Map<string, Map<string, ArchivedDay>>();
      for (const day of days) {
        const dataset = dayOfPath(day.path)?.dataset;
        if (dataset === undefined) throw new TypeError(`not a sealed day: ${day.path}`);
        const listed = changed.get(dataset) ?? new Map(this.#days.get(dataset));
        change(listed, day);
        changed.set(dataset, listed);
      }
      for (const [dataset, listed] of changed) {
        await this.#write(dataset, listed);
        this.#days.set(dataset, listed);
      }
    });
  }

  async #write(dataset: string, listed: ReadonlyMap<string, ArchivedDay>): Promise<void> {
    if (this.#files === null) return;
    const path = archivedDaysFile(this.#dataDir, dataset);
    if (listed.size === 0) return this.#files.remove(path);
    const inOrder = [...listed.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    await this.#files.makeFolder(historyOf(this.#dataDir, dataset));
    await replaceFile(this.#files, path, Buffer.from(JSON.stringify({ format: 1, ...packDays(inOrder) })));
  }
}

/** Columns that were learnt here stay. */
function isSame(day: ArchivedDay, listed: ArchivedDay | undefined): boolean {
  return listed?.hash === day.hash && (day.columns === null || listed.columns !== null);
}
