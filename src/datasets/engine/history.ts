import type { SealedDay } from '../relation.js';
import type { Engine } from './engine.js';
import type { StoredColumn } from './loading.js';
import { identifier, literal } from './sql-text.js';
import { type CellSqlType, printed } from './sql-types.js';

/** Whole numbers up to here are exact as DOUBLE. */
const EXACT_IN_DOUBLE = 2n ** 53n;

/** Columns of one sealed day's files, by name: their types there. */
type FileColumns = ReadonlyMap<string, CellSqlType>;

/** Sealed days that follow each other and have the same columns: DuckDB reads them as one. */
interface Run {
  readonly columns: FileColumns;
  readonly paths: string[];
}

/**
 * The sealed days of one dataset, read where they lie. A file never changes, so its columns are asked once; files of
 * different columns (one came later, one became text) are read apart and brought into the same types.
 */
export class History {
  readonly #engine: Engine;
  readonly #files = new Map<string, FileColumns>();
  /** Columns that are BIGINT on some days and have numbers there which DOUBLE would change. */
  readonly #tooWide = new Set<string>();
  #mixed = '';

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Learns the columns of days that are new. Call before anything else is asked about them. */
  async learn(days: readonly SealedDay[]): Promise<void> {
    const unknown = days.flatMap(({ paths }) => paths).filter((path) => !this.#files.has(path));
    if (unknown.length === 0) return;
    const rows = await this.#engine.session({ lane: 'ours' }, (session) =>
      session.rows(
        `SELECT file_name, name, duckdb_type FROM parquet_schema([${unknown.map(literal).join(', ')}])
         WHERE duckdb_type IS NOT NULL`,
      ),
    );
    const found = new Map<string, Map<string, CellSqlType>>();
    for (const [path, name, type] of rows) {
      const columns = found.get(String(path)) ?? new Map<string, CellSqlType>();
      found.set(String(path), columns.set(String(name), cellType(String(type))));
    }
    for (const path of unknown) this.#files.set(path, found.get(path) ?? new Map());
  }

  /** The types that columns have over these days and the rows that are not sealed, widened where they differ. */
  async typesOver(
    days: readonly SealedDay[],
    columns: readonly StoredColumn[],
  ): Promise<readonly StoredColumn[]> {
    const files = days.flatMap(({ paths }) => paths);
    await this.#findTooWide(files, columns);
    return columns.map((column) => {
      const types = new Set(files.flatMap((path) => this.#files.get(path)?.get(column.name) ?? []));
      if (column.column.seen || types.size === 0) types.add(column.type);
      return { ...column, type: unionOf(types, this.#tooWide.has(column.name)) };
    });
  }

  /**
   * SELECTs of these days' rows in the order of time, each with these columns in their types. `day`: the name under
   * which the local day comes along, null: not at all.
   */
  selects(days: readonly SealedDay[], columns: readonly StoredColumn[], day: string | null): string[] {
    return this.#runs(days).map((run) => {
      const list = columns.map((column) => `${converted(column, run.columns)} AS ${identifier(column.name)}`);
      const own = [...run.columns.keys()].some((name) => name.toLowerCase() === 'date');
      // A file's own column "date" hides the one that its folder's name makes; then the day is read off its path.
      const date = own ? `CAST(regexp_extract(filename, 'date=([0-9-]+)', 1) AS DATE)` : '"date"';
      if (day !== null) list.push(`${date} AS ${identifier(day)}`);
      const reading = own
        ? 'hive_partitioning = false, filename = true'
        : `hive_partitioning = true, hive_types = {'date': DATE}`;
      return `SELECT ${list.join(', ')} FROM read_parquet([${run.paths.map(literal).join(', ')}], ${reading})`;
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

  /** Where whole numbers and others meet in a column, looks whether the whole ones fit into DOUBLE. */
  async #findTooWide(files: readonly string[], columns: readonly StoredColumn[]): Promise<void> {
    for (const { name, type } of columns) {
      const whole = files.filter((path) => this.#files.get(path)?.get(name) === 'BIGINT');
      const hasOthers =
        type === 'DOUBLE' || files.some((path) => this.#files.get(path)?.get(name) === 'DOUBLE');
      if (whole.length === 0 || !hasOthers || this.#tooWide.has(name)) continue;
      const asked = `${this.#mixed} ${name} ${whole.length}`;
      if (this.#mixed === asked) continue;
      this.#mixed = asked;
      const column = identifier(name);
      const [row] = await this.#engine.session({ lane: 'ours' }, (session) =>
        session.rows(
          `SELECT greatest(max(${column}), -min(${column}))::VARCHAR
           FROM read_parquet([${whole.map(literal).join(', ')}], hive_partitioning = false)`,
        ),
      );
      if (BigInt(String(row?.[0] ?? 0)) > EXACT_IN_DOUBLE) this.#tooWide.add(name);
    }
  }
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

function unionOf(types: ReadonlySet<CellSqlType>, tooWide: boolean): CellSqlType {
  if (types.size === 1) return [...types][0]!;
  const areNumbers = [...types].every((type) => type === 'BIGINT' || type === 'DOUBLE');
  return areNumbers && !tooWide ? 'DOUBLE' : 'VARCHAR';
}

/** A column of a file in the type that it has over all days. */
function converted({ name, type }: StoredColumn, file: FileColumns): string {
  return convert(identifier(name), file.get(name) ?? null, type);
}

/** An expression of one type in another; null: there is no such column. */
export function convert(expression: string, from: CellSqlType | null, to: CellSqlType): string {
  if (from === null) return `CAST(NULL AS ${to})`;
  if (from === to) return expression;
  return to === 'VARCHAR' ? printed(expression, from) : `CAST(${expression} AS ${to})`;
}

function sameColumns(a: FileColumns, b: FileColumns): boolean {
  return a.size === b.size && [...a].every(([name, type]) => b.get(name) === type);
}
