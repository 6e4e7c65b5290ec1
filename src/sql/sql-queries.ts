import type { Clock } from '../base/clock.js';
import type { LocalDays } from '../base/local-days.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Parameters, Queries, Query } from '../datasets/queries.js';
import { aggregatedTable, selectOfTable } from '../windows/aggregate/aggregated-table.js';
import { compileWindow, type Select } from '../windows/compile/compile-window.js';
import { compilePivotValues } from '../windows/compile/pivot-sql.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { linesOf, type Table } from '../windows/direct/table.js';
import { parseWindow } from '../windows/parse-window.js';
import { CONTENT_TYPES, type OutputShape, parseShape } from '../windows/shape.js';
import type { Window } from '../windows/window.js';
import { isRelative, NOW_STANDS, shapeKey, windowKey } from '../windows/window-key.js';
import { columnsOfAdHocSql, explainAdHocSql, refuseWindowParameters } from './ad-hoc-sql.js';
import { AnswerRunner, type Terms, type WrittenAnswer } from './answer-runner.js';
import type { Catalog } from './catalog.js';
import { columnOf } from './computed-columns.js';
import type { DamagedDays } from './damaged-days.js';
import type { Engine } from './engine.js';
import { HeldColumns } from './held-columns.js';
import { withPrunedPartitions } from './partition-pruning.js';
import { readLines } from './read-lines.js';
import type { ParsedSelect, SelectParser } from './select-parser.js';
import type { Session } from './session.js';
import { ALWAYS, readTogether, type SqlDataset, syncAll } from './sql-dataset.js';

/** Milliseconds that a window may compute: nobody waits longer for a panel. */
const WINDOW_LIMIT = 30_000;
/** Milliseconds for ad-hoc SQL, of which one query computes at a time. */
const OUTSIDE_LIMIT = 10_000;
/** The maximum number of rows that ad-hoc SQL may return. */
const OUTSIDE_ROWS = 1_000_000;

export interface SqlQueriesOptions {
  readonly engine: Engine;
  readonly parser: SelectParser;
  readonly catalog: Catalog;
  readonly damagedDays: DamagedDays;
  readonly clock: Clock;
  /** Whose days the steps of aggregates are. */
  readonly localDays: LocalDays;
}

/** Windows and ad-hoc SQL, computed by DuckDB. */
export class SqlQueries implements Queries {
  readonly #parser: SelectParser;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #localDays: LocalDays;
  readonly #columns: HeldColumns;
  readonly #runner: AnswerRunner;

  constructor({ engine, parser, catalog, damagedDays, clock, localDays }: SqlQueriesOptions) {
    this.#parser = parser;
    this.#catalog = catalog;
    this.#clock = clock;
    this.#localDays = localDays;
    this.#columns = new HeldColumns(localDays);
    this.#runner = new AnswerRunner(engine, damagedDays);
  }

  async window(dataset: Dataset, parameters: Parameters): Promise<Query> {
    const shape = parseShape(parameters);
    const table = this.#catalog.of(dataset);
    await table.sync();
    const { columns } = table.table(ALWAYS);
    const { name, keys, timeColumn } = dataset;
    const now = this.#clock.now();
    const windowed = { name, keys, timeColumn, columns: columns.map(({ column }) => column) };
    const window = parseWindow(parameters, windowed, now);
    // Only a view that is too large to be kept calls service_now() here.
    const ofView = dataset.kind === 'view' ? { now } : {};
    const terms: Terms = {
      shape,
      session: { caller: 'service', limit: WINDOW_LIMIT, ...ofView },
      mostRows: null,
      sync: () => table.sync(),
      files: () => table.sealedFiles,
      explain: (error) => error,
    };
    return {
      key: windowKey(window, shape),
      version: table.state,
      until: isRelative(window) ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: dataset.status().readAt,
      run: async (signal) => {
        // Before taking a permit, so that a view that is slow to compute does not delay windows of other datasets.
        await table.sync();
        return this.#runner.run(terms, signal, (session) =>
          window.aggregation === null
            ? selectOfWindow(session, window, table)
            : this.#aggregated(session, window, shape, table, signal),
        );
      },
    };
  }

  async #aggregated(
    session: Session,
    window: Window,
    shape: OutputShape,
    table: SqlDataset,
    signal: AbortSignal,
  ): Promise<Select | WrittenAnswer> {
    const isParquet = shape.format === 'parquet';
    const held = isParquet ? null : await this.#columns.tableFor(session, window, table, signal);
    if (held !== null) return writtenAnswer(held, shape, signal);
    const source = await sourceOf(session, window, table);
    const result = await aggregatedTable(window, source, this.#localDays, async ({ sql, values }) =>
      readLines(await session.stream(sql, values), signal),
    );
    return isParquet ? selectOfTable(result, window, source) : writtenAnswer(result, shape, signal);
  }

  async sql(text: string, parameters: Parameters): Promise<Query> {
    refuseWindowParameters(parameters);
    const shape = parseShape(parameters);
    const now = this.#clock.now();
    const select = await this.#parser.parse(text).catch((error: unknown) => {
      throw explainAdHocSql(error);
    });
    const inputs = select.tables.map((table) => this.#catalog.find(table));
    const tables = this.#catalog.tables(inputs);
    const state = await syncAll([...tables.values()]);
    const times = inputs.flatMap((input) => input.status().readAt ?? []);
    const terms: Terms = {
      shape,
      session: { caller: 'outside', limit: OUTSIDE_LIMIT, now },
      mostRows: OUTSIDE_ROWS,
      sync: () => syncAll([...tables.values()]),
      files: () => [...tables.values()].flatMap(({ sealedFiles }) => sealedFiles),
      explain: explainAdHocSql,
    };
    return {
      key: `${shapeKey(shape)} ${select.sql}`,
      version: state,
      until: select.dependsOnNow ? now + NOW_STANDS : null,
      contentType: CONTENT_TYPES[shape.format],
      readAt: times.length === 0 ? null : Math.min(...times),
      run: (signal) =>
        this.#runner.run(terms, signal, (session) => selectFromOutside(session, select, tables)),
    };
  }
}

function writtenAnswer(table: Table, shape: OutputShape, signal: AbortSignal): WrittenAnswer {
  return { columns: table.columns, lines: linesOf(table, shape, signal) };
}

async function selectOfWindow(session: Session, window: Window, table: SqlDataset): Promise<Select> {
  const source = await sourceOf(session, window, table);
  const values = compilePivotValues(window, source);
  const found = values === null ? [] : await session.rows(values.sql, values.values);
  return compileWindow(
    window,
    source,
    found.map(([value]) => String(value)),
  );
}

/** The table of a window. It may have been loaded anew, with other columns, since the window was parsed. */
async function sourceOf(session: Session, { time }: Window, table: SqlDataset): Promise<SqlTable> {
  await readTogether(session, [table]);
  const range = { from: time?.from ?? null, to: time?.to ?? null };
  session.needs(table.filesIn(range));
  return table.table(range);
}

async function selectFromOutside(
  session: Session,
  select: ParsedSelect,
  tables: ReadonlyMap<string, SqlDataset>,
): Promise<Select> {
  const { withDays } = await withPrunedPartitions(session, select, tables);
  const columns = await columnsOfAdHocSql(session, select.sql, withDays);
  return {
    sql: `${withDays}SELECT * FROM (${select.sql}\n) LIMIT ${OUTSIDE_ROWS + 1}`,
    values: [],
    columns: columns.map(({ name, type }) => columnOf(name, type)),
    types: columns.map(({ type }) => type),
  };
}
