import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { LocalDays } from '../../src/base/local-days.js';
import { distinctNames } from '../../src/csv/columns.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { Parameters } from '../../src/datasets/queries.js';
import { readLines } from '../../src/sql/read-lines.js';
import { aggregatedTable } from '../../src/windows/aggregate/aggregated-table.js';
import { answerBody } from '../../src/windows/compile/answer-body.js';
import { compileWindow, type Select } from '../../src/windows/compile/compile-window.js';
import { compileLines } from '../../src/windows/compile/lines.js';
import { compilePivotValues } from '../../src/windows/compile/pivot-sql.js';
import type { SqlTable } from '../../src/windows/compile/sql-table.js';
import { identifier } from '../../src/windows/compile/sql-text.js';
import { linesOf } from '../../src/windows/direct/table.js';
import { parseWindow } from '../../src/windows/parse-window.js';
import { type OutputShape, parseShape } from '../../src/windows/shape.js';
import type { Window, WindowedDataset } from '../../src/windows/window.js';

/** The time at which the tests ask. */
export const NOW = Date.parse('2026-11-24T15:30:00.000Z');

/** A dataset's rows as text, with the DuckDB type of each column. */
export interface TestTable {
  readonly dataset: WindowedDataset;
  readonly types: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A DuckDB with one dataset in it, asked as the engine asks. */
export class TestDuckDb {
  readonly #instance: DuckDBInstance;
  readonly connection: DuckDBConnection;
  readonly #localDays: LocalDays;
  #dataset: WindowedDataset = { name: 'none', columns: [], keys: [], timeColumn: null };
  #table: SqlTable = { from: '', columns: [] };

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, timeZone: string) {
    this.#instance = instance;
    this.connection = connection;
    this.#localDays = new LocalDays(timeZone);
  }

  static async start(timeZone = 'America/New_York'): Promise<TestDuckDb> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = '${timeZone}'`);
    return new TestDuckDb(instance, connection, timeZone);
  }

  async load({ dataset, types, rows }: TestTable): Promise<void> {
    const identifiers = distinctNames(dataset.columns.map(({ name }) => name)).map(identifier);
    const columns = identifiers.map((identifier, i) => `${identifier} ${types[i]}`);
    await this.connection.run(`CREATE OR REPLACE TABLE "rows" (${columns.join(', ')})`);
    const values = types.map((type, i) => `CAST($${i + 1} AS ${type})`);
    const insert = await this.connection.prepare(`INSERT INTO "rows" VALUES (${values.join(', ')})`);
    for (const row of rows) {
      insert.bind([...row]);
      await insert.run();
    }
    this.show(dataset, '"rows"', types, identifiers);
  }

  /** Takes a relation that exists already, such as a view's. */
  show(
    dataset: WindowedDataset,
    from: string,
    types: readonly string[],
    identifiers = dataset.columns.map(({ name }) => identifier(name)),
  ): void {
    this.#dataset = dataset;
    this.#table = {
      from,
      columns: dataset.columns.map((column, i) => ({
        column,
        expression: identifiers[i]!,
        type: types[i]!,
      })),
    };
  }

  /** The SELECT of a request; its columns are those of the answer. */
  async select(parameters: Parameters): Promise<Select> {
    const window = parseWindow(parameters, this.#dataset, NOW);
    const values = compilePivotValues(window, this.#table);
    if (values === null) return compileWindow(window, this.#table);
    const found = await this.connection.runAndReadAll(values.sql, [...values.values]);
    return compileWindow(
      window,
      this.#table,
      found.getRows().map(([value]) => String(value)),
    );
  }

  /** The answer to a request: `last=10m&columns=a,b`, or its parameters. */
  async ask(request: string | Parameters): Promise<string> {
    const parameters = typeof request === 'string' ? parametersOf(request) : request;
    const shape = parseShape(parameters);
    const window = parseWindow(parameters, this.#dataset, NOW);
    if (window.aggregation !== null) return this.#aggregated(window, shape);
    return this.write(await this.select(parameters), shape);
  }

  async #aggregated(window: Window, shape: OutputShape): Promise<string> {
    const { signal } = new AbortController();
    const table = await aggregatedTable(window, this.#table, this.#localDays, async ({ sql, values }) =>
      readLines(await this.connection.stream(sql, [...values]), signal),
    );
    const pieces = [];
    const lines = linesOf(table, shape, signal);
    for await (const piece of answerBody(table.columns, shape, lines)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  async write(select: Select, shape: OutputShape): Promise<string> {
    const { sql, values } = compileLines(select, shape);
    const result = await this.connection.stream(sql, [...values]);
    const lines = readLines(result, new AbortController().signal);
    const pieces = [];
    for await (const piece of answerBody(select.columns, shape, lines)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  close(): void {
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

/** A query string's parameters, in its order. */
export function parametersOf(query: string): Parameters {
  return [...new URLSearchParams(query)];
}

export function column(name: string, type: Column['type'] = 'string', seen = true): Column {
  return { name, type, seen };
}
