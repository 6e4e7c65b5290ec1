import { dirname } from 'node:path';
import type { SealedDay } from '../datasets/relation.js';
import type { KnownColumn } from '../history/day-files.js';
import {
  columnIn,
  type FileColumn,
  isSameColumns,
  type KnownFile,
  knownFile,
  type Stored,
  unionOf,
} from '../history/file-schema.js';
import { folded, identifier, literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { describeFile } from './file-columns.js';
import { readFileSchemas } from './file-schemas.js';
import { isTyped, type NamedColumn, type Shown, type StoredColumn, shownBy, shownTests } from './loading.js';
import { convert } from './sql-types.js';
import type { FileId } from './watched-days.js';

/** Days whose columns are not known, fetched to look: few, so that they fit into any cache. */
const FETCHED_AT_ONCE = 8;

/** Consecutive sealed days with the same columns, which DuckDB reads together. */
interface Run {
  readonly file: KnownFile;
  readonly paths: string[];
}

const NO_COLUMNS: KnownFile = { columns: new Map(), sealedAs: new Map() };

/**
 * The sealed days of one dataset, read in place. Files with different columns (one was added, one became text) are read
 * separately and converted to common types.
 *
 * A file may be written again in the columns of other days, in wider types. Every column is cast to the type with which
 * its day was sealed, so SQL that was made before or after that reads either file, and the
 * columns are read once; again only if one got another name.
 */
export class History {
  readonly #engine: Engine;
  readonly #files = new Map<
    string,
    KnownFile & { readonly version: number; readonly id?: FileId | undefined }
  >();
  /** By path, the columns from which those of files in an archive are known: another service may write such a file again. */
  readonly #known = new Map<string, readonly KnownColumn[]>();
  /** How SQL shows columns that a file has as text, by path and name: see `shownTests`. */
  readonly #shown = new Map<string, Map<string, Shown>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Reads the columns of new days' files, and how those of `columns` are shown that hold numbers or booleans as text. Call
   * before any other method with these days.
   */
  async learn(days: readonly SealedDay[], columns: readonly NamedColumn[]): Promise<void> {
    await this.#learnFiles(days);
    for (const named of columns.filter(({ column }) => isTyped(column))) {
      const unknown = days
        .flatMap(({ paths }) => paths)
        .filter((path) => this.#columnIn(path, named)?.type === 'VARCHAR')
        .filter((path) => this.#shown.get(path)?.has(named.name) !== true);
      if (unknown.length > 0) await this.#learnShown(unknown, named);
    }
  }

  /** What is known of files without reading them is enough; the others are read, some at a time. */
  async #learnFiles(days: readonly SealedDay[]): Promise<void> {
    const { days: files } = this.#engine;
    const isKnown = (path: string) => this.#files.get(path)?.version === this.#engine.versionOf(path);
    const unknown: string[] = [];
    for (const path of days.flatMap(({ paths }) => paths)) {
      const columns = files.mayLeave(path) ? files.columnsOf(path) : null;
      const isSame = columns === null || this.#known.get(path) === columns;
      if (isKnown(path) && isSame) continue;
      if (columns === null) unknown.push(path);
      else this.#take(path, columns);
    }
    await this.#inBatches(unknown, (batch) => this.#readFiles(batch));
  }

  /** Whether none of these days' files was seen to have other columns since they were read. */
  isCurrent(days: readonly SealedDay[]): boolean {
    return days.every(({ paths }) =>
      paths.every((path) => this.#files.get(path)?.version === this.#engine.versionOf(path)),
    );
  }

  /** The files whose columns were read, where another service may replace them. */
  idsOf(days: readonly SealedDay[]): (readonly [string, FileId])[] {
    return days
      .flatMap(({ paths }) => paths)
      .flatMap((path) => {
        const id = this.#files.get(path)?.id;
        return id === undefined ? [] : [[path, id] as const];
      });
  }

  #take(path: string, columns: readonly KnownColumn[]): void {
    this.#files.set(path, { ...knownFile(columns), version: this.#engine.versionOf(path) });
    this.#known.set(path, columns);
  }

  /** The columns of files that may leave this machine are remembered in full, so that the files are not needed for this again. */
  async #readFiles(paths: readonly string[]): Promise<void> {
    const { days: files } = this.#engine;
    const versions = new Map(paths.map((path) => [path, this.#engine.versionOf(path)]));
    const ids = await this.#engine.watched.idsOf(paths);
    const found = await this.#engine.session({ caller: 'service' }, (session) =>
      readFileSchemas(session, paths),
    );
    for (const [path, file] of found)
      this.#files.set(path, { ...file, version: versions.get(path) ?? 0, id: ids.get(path) });
    const learnt = new Map<string, readonly KnownColumn[]>();
    for (const path of paths.filter((one) => files.mayLeave(one)))
      learnt.set(path, await describeFile(this.#engine, path));
    await files.learn(learnt);
  }

  async #learnShown(paths: readonly string[], named: NamedColumn): Promise<void> {
    const unknown = paths.filter((path) => !this.#isShownKnown(path, named));
    await this.#inBatches(unknown, (batch) => this.#readShown(batch, named));
  }

  /** Whether it is known without the file how SQL shows a text column; then it is remembered here. */
  #isShownKnown(path: string, named: NamedColumn): boolean {
    const { days: files } = this.#engine;
    const column = files.mayLeave(path)
      ? files.columnsOf(path)?.find(({ name }) => name === named.name)
      : null;
    if (column?.asNumbers === undefined) return false;
    this.#remember(path, shownBy([named], column.asNumbers));
    return true;
  }

  async #readShown(paths: readonly string[], named: NamedColumn): Promise<void> {
    const files = `read_parquet([${paths.map(literal).join(', ')}], union_by_name = true, hive_partitioning = false, filename = true)`;
    const rows = await this.#engine.session({ caller: 'service' }, (session) =>
      session.rows(`SELECT filename, ${shownTests([named]).join(', ')} FROM ${files} GROUP BY filename`),
    );
    for (const [path, ...answers] of rows) this.#remember(String(path), shownBy([named], answers));
  }

  #remember(path: string, shown: ReadonlyMap<string, Shown>): void {
    const known = this.#shown.get(path) ?? new Map<string, Shown>();
    this.#shown.set(path, new Map([...known, ...shown]));
  }

  /** Files that are here all at once; others in batches, so that they fit into any cache. */
  async #inBatches(
    paths: readonly string[],
    work: (batch: readonly string[]) => Promise<void>,
  ): Promise<void> {
    if (paths.length === 0) return;
    const { days: files } = this.#engine;
    const isAllHere = !paths.some((path) => files.mayLeave(path));
    const size = isAllHere ? paths.length : FETCHED_AT_ONCE;
    for (let from = 0; from < paths.length; from += size) {
      const batch = paths.slice(from, from + size);
      const hold = await files.hold(batch);
      try {
        await work(batch);
      } finally {
        hold.release();
      }
    }
  }

  /** The types in which SQL shows columns over these days and the unsealed rows. */
  shownOver(days: readonly SealedDay[], columns: readonly StoredColumn[]): readonly StoredColumn[] {
    const files = days.flatMap(({ paths }) => paths);
    return columns.map((column) => {
      const { seen, declared } = column.column;
      const stored = files.flatMap((path): Stored[] => {
        const file = this.#columnIn(path, column);
        if (file === undefined) return [];
        return [asShown({ ...file, ...this.#shown.get(path)?.get(column.name) })];
      });
      const type = unionOf(seen || stored.length === 0 ? [...stored, asShown(column)] : stored);
      const isDouble = type === 'VARCHAR' && declared === true && column.column.type === 'number';
      return { ...column, type: isDouble ? 'DOUBLE' : type };
    });
  }

  /** The types of columns over these days and the unsealed rows, widened where they differ. */
  typesOver(days: readonly SealedDay[], columns: readonly StoredColumn[]): readonly StoredColumn[] {
    const files = days.flatMap(({ paths }) => paths);
    return columns.map((column) => {
      const stored = files.flatMap((path) => this.#columnIn(path, column) ?? []);
      return {
        ...column,
        type: unionOf(column.column.seen || stored.length === 0 ? [...stored, column] : stored),
      };
    });
  }

  /**
   * SELECTs of these days' rows in time order, each with these columns and types. `day`: the name of the column for the
   * local day; null: none.
   */
  selects(days: readonly SealedDay[], columns: readonly StoredColumn[], day: string | null): string[] {
    return this.#runs(days).map((run) => {
      const list = columns.map((column) => `${converted(column, run.file)} AS ${identifier(column.name)}`);
      const own = [...columns, ...run.file.columns.values()].some(({ name }) => folded(name) === 'date');
      // DuckDB turns every name=value parent folder into a column; one above the data folder would hide the file's own.
      const isAmbiguous = own || run.paths.some((path) => dirname(dirname(path)).includes('='));
      // A file's own column "date" hides the one from its folder's name; then the day is taken from its path.
      const date = isAmbiguous
        ? `CAST(regexp_extract(filename, 'date=([0-9-]+)/[^/]*$', 1) AS DATE)`
        : '"date"';
      if (day !== null) list.push(`${date} AS ${identifier(day)}`);
      const options = isAmbiguous
        ? 'hive_partitioning = false, filename = true'
        : `hive_partitioning = true, hive_types = {'date': DATE}`;
      return `SELECT ${list.join(', ')} FROM read_parquet([${run.paths.map(literal).join(', ')}], ${options})`;
    });
  }

  #runs(days: readonly SealedDay[]): Run[] {
    const runs: Run[] = [];
    for (const path of days.flatMap(({ paths }) => paths)) {
      const file = this.#files.get(path) ?? NO_COLUMNS;
      const last = runs.at(-1);
      if (last !== undefined && isSameFile(last.file, file)) last.paths.push(path);
      else runs.push({ file, paths: [path] });
    }
    return runs;
  }

  /** A column of the dataset as a day was sealed with it; undefined: it did not exist yet. */
  #columnIn(path: string, { name, column }: NamedColumn): FileColumn | undefined {
    return columnIn((this.#files.get(path) ?? NO_COLUMNS).sealedAs, { name, own: column.name });
  }
}

function asShown({ type, isExactInDouble, shown, isShownExactly }: Stored & Partial<Shown>): Stored {
  return type === 'VARCHAR' && shown !== undefined
    ? { type: shown, isExactInDouble: isShownExactly === true }
    : { type, isExactInDouble };
}

/** A column of a file, converted to its type over all days. */
function converted({ name, type, column }: StoredColumn, file: KnownFile): string {
  const named = { name, own: column.name };
  const sealed = columnIn(file.sealedAs, named);
  if (sealed === undefined) return convert('', null, type);
  const there = columnIn(file.columns, named) ?? sealed;
  return convert(`CAST(${identifier(there.name)} AS ${sealed.type})`, sealed.type, type);
}

function isSameFile(a: KnownFile, b: KnownFile): boolean {
  return isSameColumns(a.columns, b.columns) && isSameColumns(a.sealedAs, b.sealedAs);
}
