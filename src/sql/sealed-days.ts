import { dirname } from 'node:path';
import type { SealedDay } from '../datasets/relation.js';
import type { FileColumn } from '../history/day-files.js';
import { folded, identifier, literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { columnsOfFiles, describeFile } from './file-columns.js';
import { isTyped, type NamedColumn, type Shown, type StoredColumn, shownBy, shownTests } from './loading.js';
import { type CellSqlType, fromText, printed } from './sql-types.js';

type Stored = Pick<StoredColumn, 'type' | 'isExactInDouble'>;

/** The stored types of a file's columns, by name. */
type FileColumns = ReadonlyMap<string, Stored>;

/** Days whose columns are not known, fetched to look: few, so that they fit into any cache. */
const FETCHED_AT_ONCE = 8;

/** Consecutive sealed days with the same columns, which DuckDB reads together. */
interface Run {
  readonly columns: FileColumns;
  readonly paths: string[];
}

/**
 * The sealed days of one dataset, read in place. A file never changes, so its columns are read once. Files with different
 * columns (one was added, one became text) are read separately and converted to common types.
 */
export class History {
  readonly #engine: Engine;
  readonly #files = new Map<string, FileColumns>();
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
        .filter((path) => this.#files.get(path)?.get(named.name)?.type === 'VARCHAR')
        .filter((path) => this.#shown.get(path)?.has(named.name) !== true);
      if (unknown.length > 0) await this.#learnShown(unknown, named);
    }
  }

  /** What is known of files without reading them is enough; the others are read, some at a time. */
  async #learnFiles(days: readonly SealedDay[]): Promise<void> {
    const { days: files } = this.#engine;
    const unknown: string[] = [];
    for (const path of days.flatMap(({ paths }) => paths)) {
      if (this.#files.has(path)) continue;
      const known = files.mayLeave(path) ? files.columnsOf(path) : null;
      if (known === null) unknown.push(path);
      else this.#files.set(path, storedBy(known));
    }
    await this.#inBatches(unknown, async (batch) => {
      const found = await this.#describe(batch);
      for (const [path, columns] of found) this.#files.set(path, storedBy(columns));
    });
  }

  /** Those of files that may leave this machine are remembered in full, so that they are not needed for this again. */
  async #describe(paths: readonly string[]): Promise<ReadonlyMap<string, readonly FileColumn[]>> {
    const { days: files } = this.#engine;
    const found = new Map(await columnsOfFiles(this.#engine, paths));
    const leaving = paths.filter((path) => files.mayLeave(path));
    for (const path of leaving) found.set(path, await describeFile(this.#engine, path));
    await files.learn(new Map(leaving.map((path) => [path, found.get(path) ?? []])));
    return found;
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
        const file = this.#files.get(path)?.get(column.name);
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
      const stored = files.flatMap((path) => this.#files.get(path)?.get(column.name) ?? []);
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
      const list = columns.map((column) => `${converted(column, run.columns)} AS ${identifier(column.name)}`);
      const own = [...run.columns.keys()].some((name) => folded(name) === 'date');
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
      const columns = this.#files.get(path) ?? new Map();
      const last = runs.at(-1);
      if (last !== undefined && sameColumns(last.columns, columns)) last.paths.push(path);
      else runs.push({ columns, paths: [path] });
    }
    return runs;
  }
}

function storedBy(columns: readonly FileColumn[]): FileColumns {
  return new Map(
    columns.map(({ name, type, isExactInDouble }) => [name, { type: cellType(type), isExactInDouble }]),
  );
}

function asShown({ type, isExactInDouble, shown, isShownExactly }: Stored & Partial<Shown>): Stored {
  return type === 'VARCHAR' && shown !== undefined
    ? { type: shown, isExactInDouble: isShownExactly === true }
    : { type, isExactInDouble };
}

function cellType(type: string): CellSqlType {
  switch (type) {
    case 'BIGINT':
    case 'DOUBLE':
    case 'BOOLEAN':
      return type;
    case 'TIMESTAMP WITH TIME ZONE':
      return 'TIMESTAMPTZ';
    default:
      return 'VARCHAR';
  }
}

/** The narrowest type that preserves the cells of all columns, of which there is at least one. */
function unionOf(columns: readonly Stored[]): CellSqlType {
  const { type } = columns[0]!;
  if (columns.every((column) => column.type === type)) return type;
  return columns.every(
    (column) => column.type === 'DOUBLE' || (column.type === 'BIGINT' && column.isExactInDouble),
  )
    ? 'DOUBLE'
    : 'VARCHAR';
}

/** A column of a file, converted to its type over all days. */
function converted({ name, type }: StoredColumn, file: FileColumns): string {
  return convert(identifier(name), file.get(name)?.type ?? null, type);
}

/** Converts an expression from one type to another; `from` null: there is no such column. */
export function convert(expression: string, from: CellSqlType | null, to: CellSqlType): string {
  if (from === null) return `CAST(NULL AS ${to})`;
  if (from === to) return expression;
  if (to === 'VARCHAR') return printed(expression, from);
  return from === 'VARCHAR' ? fromText(expression, to) : `CAST(${expression} AS ${to})`;
}

function sameColumns(a: FileColumns, b: FileColumns): boolean {
  return a.size === b.size && [...a].every(([name, { type }]) => b.get(name)?.type === type);
}
