import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { distinctNames } from '../csv/columns.js';
import {
  byName,
  columnIn,
  type FileSchema,
  isSameSchema,
  knownFile,
  type NamedInFiles,
  schemaOver,
} from './file-schema.js';
import { decodeHistorySchema, encodeHistorySchema, NO_HISTORY } from './history-schema.js';
import type { DamagedFile, RewritableFiles } from './parquet-files.js';
import type { SealableLog } from './sealable-log.js';
import type { HistoryStore } from './store.js';

/** Files written again between two progress lines in the service log. */
const PROGRESS_EVERY = 30;
/** Milliseconds to wait when queries keep a file from being replaced. */
const AGAIN = 2_000;
/** Attempts to replace a file; the next sealing continues. */
const ATTEMPTS = 30;

export interface OneSchemaOptions {
  readonly store: HistoryStore;
  readonly parquet: RewritableFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sets an unreadable file aside. */
  readonly setAside: (file: DamagedFile) => Promise<void>;
}

/** A dataset with sealed days, as far as their schema is concerned. */
export type SealedDataset = Pick<SealableLog, 'name' | 'columns' | 'sealedDays'>;

/** A file of a sealed day. */
interface DayFile {
  readonly dataset: string;
  readonly date: string;
  readonly name: string;
  /** `2026-11-24/2026-11-24.parquet`. */
  readonly key: string;
}

/**
 * Gives all sealed days of a dataset one schema, so that they are one table for any engine. When a column comes or becomes
 * wider, older files are written again, one by one; each is replaced atomically, with the same cells.
 */
export class OneSchema {
  readonly #options: OneSchemaOptions;

  constructor(options: OneSchemaOptions) {
    this.#options = options;
  }

  /**
   * Reads the files that came since the last call, and writes again those that need it. Resolves to false if queries kept
   * it from replacing a file: call it again later. Rejects with the signal's reason when that aborts, between two files.
   */
  async unify(dataset: SealedDataset, signal?: AbortSignal): Promise<boolean> {
    const { store } = this.#options;
    if (dataset.columns === null) return true;
    const before = decodeHistorySchema((await store.schema(dataset.name)) ?? '') ?? NO_HISTORY;
    const files = await this.#files(dataset.name);
    const present = new Set(files.map(({ key }) => key));
    const known = new Set(before.files.filter((key) => present.has(key)));
    const isKnown = ({ key }: DayFile) => known.has(key);
    if (files.every(isKnown) && known.size === before.files.length) return true;
    const columns = namedIn(dataset);
    const found = await this.#schemas(
      files.filter((file) => !isKnown(file)),
      signal,
    );
    const schema = schemaOver([...(known.size > 0 ? [before.columns] : []), ...found.values()], columns);
    const isSame = known.size > 0 && isSameSchema(schema, before.columns);
    const behind = files.filter((file) => (isKnown(file) ? !isSame : found.has(file.key)));
    const isDone = await this.#rewriteAll(dataset, behind, { schema, columns }, signal);
    if (isDone)
      await store.noteSchema(
        dataset.name,
        encodeHistorySchema({ columns: [...schema], files: [...present] }),
      );
    return isDone;
  }

  async #files(dataset: string): Promise<DayFile[]> {
    const days = await this.#options.store.days(dataset);
    return days.flatMap(({ date, files }) =>
      files.map((name) => ({ dataset, date, name, key: `${date}/${name}` })),
    );
  }

  /** The schemas of files, by key. A damaged one is set aside and has none. */
  async #schemas(
    files: readonly DayFile[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, FileSchema>> {
    const found = new Map<string, FileSchema>();
    for (const file of files) {
      signal?.throwIfAborted();
      const schema = await this.#schemaOf(file);
      if (schema !== null) found.set(file.key, schema);
    }
    return found;
  }

  async #schemaOf(file: DayFile): Promise<FileSchema | null> {
    const { parquet, setAside } = this.#options;
    const path = this.#pathOf(file);
    const known = this.#options.store.columnsOf(path);
    if (known !== null) return [...knownFile(known).columns.values()];
    const held = await this.#options.store.hold([path]);
    try {
      return (await parquet.schemasOf([path])).get(path) ?? null;
    } catch (error) {
      // Retention deletes days as soon as no query reads them.
      if (!(await this.#files(file.dataset)).some(({ key }) => key === file.key)) return null;
      const reason = await parquet.damageOf(path);
      if (reason === null) throw error;
      await setAside({ ...file, path, reason });
      return null;
    } finally {
      held.release();
    }
  }

  #pathOf({ dataset, date, name }: DayFile): string {
    return this.#options.store.pathsOf(dataset, { date, files: [name] })[0]!;
  }

  async #rewriteAll(
    dataset: SealedDataset,
    files: readonly DayFile[],
    wanted: { readonly schema: FileSchema; readonly columns: readonly NamedInFiles[] },
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { clock, logger, store } = this.#options;
    const started = clock.now();
    const dates = new Set<string>();
    for (const [index, file] of files.entries()) {
      signal?.throwIfAborted();
      const before = await this.#schemaOf(file);
      if (before !== null && !isSameSchema(before, wanted.schema)) {
        if (!(await this.#rewrite(dataset, file, { ...wanted, before }, signal))) return false;
        dates.add(file.date);
      }
      const done = index + 1;
      if (done % PROGRESS_EVERY === 0 && dates.size > 0)
        logger.info(
          { dataset: dataset.name, files: done, of: files.length },
          'writing sealed days in one schema',
        );
    }
    if (dates.size === 0) return true;
    await store.persist(dataset.name, dates);
    const facts = { dataset: dataset.name, days: dates.size, columns: wanted.schema.length };
    logger.info({ ...facts, took: clock.now() - started }, 'wrote sealed days again, in one schema');
    return true;
  }

  async #rewrite(
    dataset: SealedDataset,
    file: DayFile,
    {
      schema,
      columns,
      before,
    }: {
      readonly schema: FileSchema;
      readonly columns: readonly NamedInFiles[];
      readonly before: FileSchema;
    },
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { store, parquet, clock } = this.#options;
    const from = this.#pathOf(file);
    const there = byName(before);
    const isRenamed = columns.some((named) => (columnIn(there, named)?.name ?? named.name) !== named.name);
    const swap = async (step: () => Promise<void>) => {
      const work = async () => {
        await step();
        // Another array: SQL looks at the files again, since a column has another name in one.
        if (isRenamed) dataset.sealedDays = [...dataset.sealedDays];
      };
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) await clock.sleep(AGAIN, signal);
        if (await parquet.undisturbed(work, isRenamed ? from : null)) return true;
      }
      return false;
    };
    return store.replace(file, (to) => parquet.rewrite({ from, to, schema, columns }), swap);
  }
}

function namedIn({ columns }: SealedDataset): NamedInFiles[] {
  const owns = (columns ?? []).map(({ name }) => name);
  const names = distinctNames(owns);
  return owns.map((own, index) => ({ own, name: names[index]! }));
}
