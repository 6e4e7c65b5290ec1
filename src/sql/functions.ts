import type { DuckDBConnection } from '@duckdb/node-api';

/** Macros of the service and of DuckDB that depend on nothing but their arguments and the time zone, without aggregates. */
const MACROS = [
  'local_day',
  'local_hour',
  'local_hour_start',
  'local_midnight',
  'local_week',
  'increase',
  'nullif',
  'ifnull',
  'split_part',
  'date_add',
  'fmod',
  'fdiv',
];

/** What DuckDB says of its functions: which always have the same value for the same arguments. Names are folded. */
export class Functions {
  readonly #scalars: ReadonlySet<string>;
  readonly #aggregates: ReadonlySet<string>;

  private constructor(scalars: readonly string[], aggregates: readonly string[]) {
    this.#scalars = new Set([...scalars, ...MACROS]);
    this.#aggregates = new Set(aggregates);
  }

  static async read(connection: DuckDBConnection): Promise<Functions> {
    const reader = await connection.runAndReadAll(
      `SELECT DISTINCT lower(function_name), function_type FROM duckdb_functions()
       WHERE stability = 'CONSISTENT' AND function_type IN ('scalar', 'aggregate')`,
    );
    const names = (type: string) =>
      reader.getRows().flatMap(([name, kind]) => (kind === type ? [String(name)] : []));
    return new Functions(names('scalar'), names('aggregate'));
  }

  /** Whether it computes one value from its arguments, always the same. */
  isScalar(name: string): boolean {
    return this.#scalars.has(name) && !this.#aggregates.has(name);
  }

  /** Whether it computes one value from many rows. */
  isAggregate(name: string): boolean {
    return this.#aggregates.has(name);
  }
}
