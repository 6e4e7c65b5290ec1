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
import { DaysAway, fetchingDays } from './days-away.js';
import { dropNamed } from './drop-named.js';
import type { Engine } from './engine.js';
import { viewLacksColumn } from './errors.js';
import { KeptDays, openDays } from './kept-days.js';
import { type DaysOf, prunedTables, wantedDays, withAll } from './partition-pruning.js';
import type { ParsedDayWise, ParsedSelect } from './select-parser.js';
import type { Session } from './session.js';
import { ALWAYS, type SqlDataset, type StoredRows, slotOf, syncAll } from './sql-dataset.js';
import { asLastError, explainView, type Lineage, type Mistake } from './view-graph.js';
import { readingSameDays } from './watched-days.js';

/** Milliseconds after which computing a view is stopped: by then nobody is waiting for it. */
export const VIEW_LIMIT = 30_000;
/** The maximum number of rows of a result that is kept; a larger one is computed for each query, filters included. */
const MOST_KEPT_ROWS = 200_000;
/**
 * Milliseconds after which a failed computation is retried although none of its inputs has changed: memory may have been
 * short. Until then it takes no DuckDB time from others.
 */
const FAILURE_STANDS = 60_000;
/** The same for a day that could not be fetched. */
const FETCH_STANDS = 5_000;

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
  /** The files of sealed days that are read again with each query, as the result is not kept. */
  readonly files: readonly string[];
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

  filesIn(): readonly string[] {
    return this.current.files;
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
    if (failed?.state === state && now - failed.at < standsFor(failed)) throw failed.error;
    try {
      const { damagedDays, engine } = this.#options;
      const compute = () =>
        damagedDays.around(
          () => filesOf(tables),
          () => this.#run(select, tables, now),
        );
      const same = () => readingSameDays(compute, async () => void (await syncAll([...tables.values()])));
      this.#kept = await fetchingDays(engine.days, same);
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
      const files = filesOf(tables);
      try {
        return await this.#session(now, (session) => this.#runByDay(session, select, byDay, tables, now));
      } catch (error) {
        // Known errors and the end of the service. Any other is reported for the SQL as it was written, if it fails too.
        if (error instanceof DynamoCsvError || error instanceof DOMException || error instanceof DaysAway)
          throw error;
        const answer = await this.#session(now, (session) => this.#runWhole(session, select, tables, now));
        // Another service may have moved a day that it read, which says nothing about the SQL.
        this.#isByDay = !isSameFiles(files, filesOf(tables));
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
    const { state: inputState, daysOf } = await wantedDays(session, [select], tables);
    const readAt = this.#options.readAt() ?? now;
    const named = prunedTables(session, select, tables, daysOf);
    const unkept = () => unkeptOf(session, select, tables, daysOf);
    const answer = await this.#store(session, select.sql, named, unkept);
    await session.checkDays();
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
    const { state: inputState, daysOf } = await wantedDays(session, [select, byDay, ...parts], tables);
    const readAt = this.#options.readAt() ?? now;
    const named = new Set(prunedTables(session, byDay, tables, daysOf));
    const done: (() => void)[] = [];
    for (const [number, part] of parts.entries()) {
      const history = tables.get(part.table)!.history!;
      const isWanted = daysOf(part, part.table, history);
      history.require(isWanted);
      const open = await openDays(session, history);
      session.needs(history.pathsOf((date) => open.has(date)));
      const brought = await kept[number]!.bring(session, history, open, isWanted);
      const rest = history.select((date) => open.has(date));
      named.add(`${identifier(restOf(part.table))} AS NOT MATERIALIZED (${rest})`);
      for (const one of brought.named) named.add(one);
      done.push(brought.committed);
    }
    const unkept = () => unkeptOf(session, select, tables, daysOf);
    const answer = await this.#store(session, byDay.whole, [...named], unkept);
    await session.checkDays();
    await session.commit();
    for (const committed of done) committed();
    return { ...answer, state: stateOf(select, inputState, now), readAt };
  }

  /** Computes the SELECT, in these words, into the table, or creates a DuckDB view if the result is too large. */
  async #store(
    session: Session,
    computed: string,
    named: readonly string[],
    unkept: () => Unkept,
  ): Promise<Pick<KeptAnswer, 'columns' | 'rows' | 'files'>> {
    const view = identifier(this.#options.name);
    const table = `raw.${view}`;
    const [[count] = []] = await session.rows(
      `CREATE OR REPLACE TABLE ${table} AS ${withAll(named)}SELECT * FROM (${computed}\n) LIMIT ${MOST_KEPT_ROWS + 1}`,
    );
    const columns = await this.#columnsOf(session, table);
    const rows = Number(count) > MOST_KEPT_ROWS ? null : Number(count);
    const { sql, files } = rows === null ? unkept() : { sql: `FROM ${table}`, files: [] };
    await session.run(`CREATE OR REPLACE VIEW ${view} AS ${sql}`);
    if (rows === null) await session.run(`DROP TABLE ${table}`);
    return { columns, rows, files };
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

/** What a result that is too large to be kept is read from. */
interface Unkept {
  readonly sql: string;
  readonly files: readonly string[];
}

/** Where days may be away, the view names the files that it reads: its tables' names mean only those days that stay here. */
function unkeptOf(
  session: Session,
  select: ParsedSelect,
  tables: ReadonlyMap<string, SqlDataset>,
  daysOf: DaysOf,
): Unkept {
  const isWhole = [...tables.values()].every(({ history }) => history === null || history.isWhole);
  const files = [...tables].flatMap(([name, table]) => {
    const { history } = table;
    if (history === null) return table.filesIn(ALWAYS);
    return history.pathsOf(isWhole ? () => true : daysOf(select, name, history));
  });
  if (isWhole) return { sql: select.sql, files };
  const named = prunedTables(session, select, tables, daysOf);
  return { sql: `${withAll(named)}SELECT * FROM (${select.sql}\n)`, files };
}

/** Milliseconds that a failure stands: a day that could not be fetched, or read as it is, may be there at any time. */
function standsFor({ error }: Mistake): number {
  return error.code === 'DAY_NOT_FETCHED' || error.code === 'DAY_REWRITTEN' ? FETCH_STANDS : FAILURE_STANDS;
}

function filesOf(tables: ReadonlyMap<string, SqlDataset>): readonly SealedFile[] {
  return [...tables.values()].flatMap(({ sealedFiles }) => sealedFiles);
}

function isSameFiles(a: readonly SealedFile[], b: readonly SealedFile[]): boolean {
  return a.length === b.length && a.every(({ path }, index) => path === b[index]?.path);
}

/** Identifies what a result was computed from: its SQL, its inputs' state and, if it depends on it, the time. */
function stateOf(select: ParsedSelect, inputState: string, now: number): string {
  return digest([select.sql, inputState, slotOf(select.dependsOnNow, now)]);
}
