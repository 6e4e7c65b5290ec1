import type { Clock } from '../base/clock.js';
import { DynamoCsvError } from '../base/errors.js';
import { digest } from '../base/hash.js';
import { SerialQueue } from '../base/serial-queue.js';
import { datasetNotReadYet, datasetUnknown } from '../datasets/errors.js';
import type { SqlColumn, SqlTable } from '../windows/compile/sql-table.js';
import { identifier } from '../windows/compile/sql-text.js';
import type { Catalog } from './catalog.js';
import { columnOf } from './computed-columns.js';
import type { DamagedDays, SealedFile } from './damaged-days.js';
import { restOf } from './day-wise.js';
import { dropNamed } from './drop-named.js';
import type { Engine } from './engine.js';
import { viewLacksColumn } from './errors.js';
import { KeptDays, openDays } from './kept-days.js';
import { prunedTables, wantedDays, withAll, withPrunedPartitions } from './partition-pruning.js';
import type { ParsedDayWise, ParsedSelect } from './select-parser.js';
import type { Session } from './session.js';
import { type SqlDataset, type StoredRows, slotOf, syncAll } from './sql-dataset.js';
import { asLastError, explainView, type Lineage, type Mistake } from './view-graph.js';

/** Milliseconds after which computing a view is stopped: by then nobody is waiting for it. */
export const VIEW_LIMIT = 30_000;
/** The maximum number of rows of a result that is kept; a larger one is computed for each query, filters included. */
const MOST_KEPT_ROWS = 200_000;
/**
 * Milliseconds after which a failed computation is retried although none of its inputs has changed: memory may have been
 * short. Until then it takes no DuckDB time from others.
 */
const FAILURE_STANDS = 60_000;

export interface ViewAnswerOptions {
  readonly name: string;
  /** The file, for display. */
  readonly file: string;
  /** Columns named in its leading comment. */
  readonly declared: readonly string[];
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly damagedDays: DamagedDays;
  readonly clock: Clock;
  /** The parts of its SQL that are computed day by day; null: there are none. */
  readonly dayWise: (select: ParsedSelect) => Promise<ParsedDayWise | null>;
  /** What it reads now. Throws `VIEW_BROKEN`. */
  readonly lineage: () => Lineage;
  /** When the oldest of its inputs was read, milliseconds since the epoch; null: unknown. */
  readonly readAt: () => number | null;
  /** Work that has to end before the first computation. */
  readonly after: Promise<void>;
}

/** The parts of a view that are computed day by day, each with its days. */
interface ByDay extends ParsedDayWise {
  readonly kept: readonly KeptDays[];
}

/** A computed result. */
export interface KeptAnswer {
  readonly state: string;
  readonly columns: readonly SqlColumn[];
  /** Null if it is too large to be kept. */
  readonly rows: number | null;
  /** When the oldest of its inputs was read, milliseconds since the epoch. */
  readonly readAt: number;
}

/**
 * A view in DuckDB. When it is requested and one of its inputs has changed, it is computed into the table `raw.<name>`,
 * which other views and windows read.
 */
export class ViewAnswer implements SqlDataset {
  /** A view has no sealed days of its own. */
  readonly history = null;
  readonly #options: ViewAnswerOptions;
  readonly #queue = new SerialQueue();
  #kept: KeptAnswer | null = null;
  /** Null: it has no parts that are computed day by day, or not yet looked for (undefined). */
  #byDay: ByDay | null | undefined = undefined;
  /** False: computing it day by day failed where computing it as written did not. */
  #isByDay = true;
  #failure: (Mistake & { readonly state: string }) | null = null;
  #isDropped = false;

  constructor(options: ViewAnswerOptions) {
    this.#options = options;
    void this.#queue.run(() => options.after);
  }

  /** The last result; null: never computed. */
  get kept(): KeptAnswer | null {
    return this.#kept;
  }

  /** The last result. Throws `DATASET_NOT_READ_YET` while there is none. */
  get current(): KeptAnswer {
    if (this.#kept !== null) return this.#kept;
    throw datasetNotReadYet(this.#options.name, this.#failure && asLastError(this.#failure));
  }

  /** Why the last computation failed; null: it did not. */
  get failure(): Mistake | null {
    return this.#failure;
  }

  get sealedFiles(): readonly SealedFile[] {
    const { lineage, catalog } = this.#options;
    return lineage().sources.flatMap((source) => catalog.of(source).sealedFiles);
  }

  get state(): string {
    return this.current.state;
  }

  async sync(): Promise<void> {
    await this.#queue.run(() => this.#compute());
  }

  table(): SqlTable {
    return { from: identifier(this.#options.name), columns: this.current.columns };
  }

  stored(): StoredRows | null {
    const { rows, state } = this.current;
    return rows === null ? null : { table: this.table(), load: state };
  }

  async drop(): Promise<void> {
    this.#isDropped = true;
    const { engine, name } = this.#options;
    await this.#queue.run(() =>
      dropNamed(
        engine,
        name,
        this.#byDay?.kept.map(({ table }) => table),
      ),
    );
  }

  async #compute(): Promise<void> {
    const { catalog, clock, file, name } = this.#options;
    if (this.#isDropped) throw datasetUnknown(name, undefined);
    const { select, inputs } = this.#options.lineage();
    const tables = catalog.tables(inputs);
    const inputState = await syncAll([...tables.values()]);
    const now = clock.now();
    const state = stateOf(select, inputState, now);
    if (this.#kept?.state === state) return;
    const failed = this.#failure;
    if (failed?.state === state && now - failed.at < FAILURE_STANDS) throw failed.error;
    try {
      this.#kept = await this.#options.damagedDays.around(
        () => [...tables.values()].flatMap(({ sealedFiles }) => sealedFiles),
        () => this.#run(select, tables, now),
      );
      this.#failure = null;
    } catch (error) {
      // The service is stopping, which is not the view's fault.
      if (error instanceof DOMException) throw error;
      throw this.#failed(explainView(file, error), state);
    }
  }

  /** Remembers a failure; waiting for data is not one. */
  #failed(error: DynamoCsvError, state: string): DynamoCsvError {
    if (error.code !== 'DATASET_NOT_READ_YET')
      this.#failure = { error, at: this.#options.clock.now(), state };
    return error;
  }

  async #run(
    select: ParsedSelect,
    tables: ReadonlyMap<string, SqlDataset>,
    now: number,
  ): Promise<KeptAnswer> {
    const byDay = await this.#findDays(select, tables);
    if (byDay !== null) {
      try {
        return await this.#session(now, (session) => this.#runByDay(session, select, byDay, tables, now));
      } catch (error) {
        // Known errors and the end of the service. Any other is reported for the SQL as it was written, if it fails too.
        if (error instanceof DynamoCsvError || error instanceof DOMException) throw error;
        const answer = await this.#session(now, (session) => this.#runWhole(session, select, tables, now));
        this.#isByDay = false;
        return answer;
      }
    }
    return this.#session(now, (session) => this.#runWhole(session, select, tables, now));
  }

  #session<T>(now: number, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#options.engine.session({ caller: 'service', limit: VIEW_LIMIT, now }, work);
  }

  /** What is computed day by day, if its tables have sealed days, counted in the column that it groups by. */
  async #findDays(select: ParsedSelect, tables: ReadonlyMap<string, SqlDataset>): Promise<ByDay | null> {
    if (this.#byDay === undefined) {
      const parsed = await this.#options.dayWise(select);
      const kept = parsed?.parts.map((part, number) => new KeptDays(this.#options.name, part, number));
      this.#byDay = parsed === null ? null : { ...parsed, kept: kept! };
    }
    if (!this.#isByDay) return null;
    const isByDay = this.#byDay?.parts.every(({ table }) => tables.get(table)?.history?.day === 'date');
    return isByDay ? this.#byDay! : null;
  }

  async #runWhole(
    session: Session,
    select: ParsedSelect,
    tables: ReadonlyMap<string, SqlDataset>,
    now: number,
  ): Promise<KeptAnswer> {
    const { state: inputState, withDays } = await withPrunedPartitions(session, select, tables);
    const readAt = this.#options.readAt() ?? now;
    const answer = await this.#store(session, select.sql, select.sql, withDays);
    await session.commit();
    return { ...answer, state: stateOf(select, inputState, now), readAt };
  }

  /** The same, with the rows of sealed days that were computed before. */
  async #runByDay(
    session: Session,
    select: ParsedSelect,
    { parts, kept, ...byDay }: ByDay,
    tables: ReadonlyMap<string, SqlDataset>,
    now: number,
  ): Promise<KeptAnswer> {
    const { state: inputState, daysOf } = await wantedDays(session, [byDay, ...parts], tables);
    const readAt = this.#options.readAt() ?? now;
    const named = new Set(prunedTables(byDay, tables, daysOf));
    const done: (() => void)[] = [];
    for (const [number, part] of parts.entries()) {
      const history = tables.get(part.table)!.history!;
      const isWanted = daysOf(part, part.table, history);
      history.require(isWanted);
      const open = await openDays(session, history);
      const brought = await kept[number]!.bring(session, history, open, isWanted);
      const rest = history.select((date) => open.has(date));
      named.add(`${identifier(restOf(part.table))} AS NOT MATERIALIZED (${rest})`);
      for (const one of brought.named) named.add(one);
      done.push(brought.committed);
    }
    const answer = await this.#store(session, select.sql, byDay.whole, withAll([...named]));
    await session.commit();
    for (const committed of done) committed();
    return { ...answer, state: stateOf(select, inputState, now), readAt };
  }

  /** Computes the SELECT, in these words, into the table, or creates a DuckDB view if the result is too large. */
  async #store(
    session: Session,
    sql: string,
    computed: string,
    withDays: string,
  ): Promise<Pick<KeptAnswer, 'columns' | 'rows'>> {
    const view = identifier(this.#options.name);
    const table = `raw.${view}`;
    const [[count] = []] = await session.rows(
      `CREATE OR REPLACE TABLE ${table} AS ${withDays}SELECT * FROM (${computed}\n) LIMIT ${MOST_KEPT_ROWS + 1}`,
    );
    const columns = await this.#columnsOf(session, table);
    const rows = Number(count) > MOST_KEPT_ROWS ? null : Number(count);
    await session.run(`CREATE OR REPLACE VIEW ${view} AS ${rows === null ? sql : `FROM ${table}`}`);
    if (rows === null) await session.run(`DROP TABLE ${table}`);
    return { columns, rows };
  }

  /** The table's columns. If one named in the leading comment is missing, every window would fail, so this throws. */
  async #columnsOf(session: Session, table: string): Promise<readonly SqlColumn[]> {
    const computed = await session.describe(`SELECT * FROM ${table}`);
    const names = new Set(computed.map(({ name }) => name));
    const missing = this.#options.declared.find((name) => !names.has(name));
    if (missing !== undefined) throw viewLacksColumn(this.#options.file, missing);
    return computed.map(({ name, type }) => ({
      column: columnOf(name, type),
      expression: identifier(name),
      type,
    }));
  }
}

/** Identifies what a result was computed from: its SQL, its inputs' state and, if it depends on it, the time. */
function stateOf(select: ParsedSelect, inputState: string, now: number): string {
  return digest([select.sql, inputState, slotOf(select.dependsOnNow, now)]);
}
