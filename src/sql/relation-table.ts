import type { LocalDays } from '../base/local-days.js';
import { SerialQueue } from '../base/serial-queue.js';
import { sameLayout } from '../csv/columns.js';
import { encodeFile } from '../csv/encode.js';
import { datasetNotReadYet, datasetUnknown } from '../datasets/errors.js';
import type { Relation, SealedDay } from '../datasets/relation.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { folded, identifier } from '../windows/compile/sql-text.js';
import { dropNamed } from './drop-named.js';
import type { Engine } from './engine.js';
import { STAGING, type StoredColumn, stage, typed, typedOrFail } from './loading.js';
import { readCsv } from './read-csv.js';
import { convert, History } from './sealed-days.js';
import type { Session } from './session.js';
import type { Range, SealedHistory, SqlDataset } from './sql-dataset.js';

/** The column that SQL has beside a log's or a changes' own: the local day of its time column. */
const DAY = 'date';

/** What of a dataset is in DuckDB. */
interface Loaded {
  readonly state: string;
  readonly version: string;
  readonly columns: readonly StoredColumn[];
  /** The same as SQL shows them, sealed days included. */
  readonly shown: readonly StoredColumn[];
  /** Name of the column with the local day; null: the dataset has no time. */
  readonly day: string | null;
  readonly timeColumn: string | null;
  readonly days: readonly SealedDay[];
}

/** Counts the loads of all tables: one that returns under its name is in no state of the one before it. */
let loads = 0;

function nextState(): string {
  loads += 1;
  return String(loads);
}

export interface RelationTableOptions {
  readonly engine: Engine;
  readonly relation: Relation;
  readonly localDays: LocalDays;
  /** Work that has to end before the first load. */
  readonly after: Promise<void>;
}

/**
 * A polled dataset, a lookup or a status in DuckDB: its CSV's rows as a table `raw.<name>`, which follows the dataset
 * when it is asked for, and all of it, sealed days included, as a view under the dataset's name.
 *
 * Appended rows are added in one statement, everything else is loaded anew in one transaction: a query sees all of a
 * poll or nothing of it.
 */
export class RelationTable implements SqlDataset {
  readonly #engine: Engine;
  readonly #relation: Relation;
  readonly #localDays: LocalDays;
  readonly #history: History;
  readonly #queue = new SerialQueue();
  readonly #table: string;
  #loaded: Loaded | null = null;
  #isDropped = false;

  constructor({ engine, relation, localDays, after }: RelationTableOptions) {
    this.#engine = engine;
    this.#relation = relation;
    this.#localDays = localDays;
    this.#history = new History(engine);
    this.#table = `raw.${identifier(relation.name)}`;
    void this.#queue.run(() => after);
  }

  async sync(): Promise<void> {
    if (this.#isCurrent()) return;
    await this.#queue.run(async () => {
      if (this.#isCurrent()) return;
      if (await this.#append()) return;
      await this.#load();
    });
  }

  /** Never the same twice, also where the dataset is again what it was: what was computed meanwhile is of neither. */
  get state(): string {
    return this.#current.state;
  }

  get history(): SealedHistory | null {
    const loaded = this.#current;
    const { days, day, shown, timeColumn } = loaded;
    if (days.length === 0) return null;
    const time = shown.find(({ column }) => column.name === timeColumn);
    return {
      dates: days.map(({ date }) => date),
      day,
      time: time?.type === 'TIMESTAMPTZ' ? folded(time.name) : null,
      select: (isWanted) =>
        this.#union(
          days.filter(({ date }) => isWanted(date)),
          shown,
          loaded,
        ),
    };
  }

  table(range: Range): SqlTable {
    const loaded = this.#current;
    const { columns, days } = loaded;
    const wanted = this.#daysIn(range, days);
    const types = wanted.length === 0 ? columns : this.#history.typesOver(wanted, columns);
    return {
      from: wanted.length === 0 ? this.#table : `(${this.#union(wanted, types, loaded)})`,
      columns: types.map(({ column, name, type }) => ({ column, expression: identifier(name), type })),
    };
  }

  async drop(): Promise<void> {
    this.#isDropped = true;
    await this.#queue.run(() => dropNamed(this.#engine, this.#relation.name));
  }

  get #current(): Loaded {
    if (this.#loaded === null)
      throw datasetNotReadYet(this.#relation.name, this.#relation.status().lastError);
    return this.#loaded;
  }

  #isCurrent(): boolean {
    const { version, sealedDays, name } = this.#relation;
    if (this.#isDropped) throw datasetUnknown(name, undefined);
    if (version === null) throw datasetNotReadYet(this.#relation.name, this.#relation.status().lastError);
    return this.#loaded?.version === version && this.#loaded.days === sealedDays;
  }

  /** Adds the rows that came since; false when that is not all there is to do. */
  async #append(): Promise<boolean> {
    const { version, columns, sealedDays } = this.#relation;
    const loaded = this.#loaded;
    if (loaded === null || version === null || columns === null || loaded.days !== sealedDays) return false;
    const rows = this.#relation.appendedSince(loaded.version);
    const known = loaded.columns.map(({ column }) => column);
    if (rows === null || !sameLayout(known, columns) || !sameLayout(known, rows.columns)) return false;
    // A column of which no value was seen has no type; with the first one it gets its own.
    if (columns.some(({ seen }, index) => seen !== known[index]!.seen)) return false;
    const names = loaded.columns.map(({ name }) => name);
    const fits = await this.#engine.scratch.withFile(encodeFile(rows), (path) =>
      this.#engine.session({ caller: 'service' }, (session) =>
        session
          .run(
            `INSERT INTO ${this.#table} SELECT *${this.#dayOf(loaded)} FROM
              (SELECT ${typedOrFail(loaded.columns)} FROM ${readCsv(path, names)})`,
          )
          .then(
            () => true,
            () => false,
          ),
      ),
    );
    if (fits) this.#loaded = { ...loaded, version, state: nextState() };
    return fits;
  }

  async #load(): Promise<void> {
    const content = await this.#relation.content();
    const { sealedDays: days, timeColumn } = this.#relation;
    await this.#history.learn(days);
    await this.#engine.scratch.withFile(content.bytes, (path) =>
      this.#engine.session({ caller: 'service' }, async (session) => {
        const columns = await stage(session, path, content.columns);
        const loaded = {
          version: content.version,
          columns,
          shown: days.length === 0 ? columns.map(asShown) : this.#history.typesOver(days, columns),
          day: timeColumn === null ? null : dayName(columns),
          timeColumn,
          days,
          state: nextState(),
        };
        await this.#publish(session, loaded);
        this.#loaded = loaded;
      }),
    );
  }

  async #publish(session: Session, loaded: Loaded): Promise<void> {
    const { columns, shown, days } = loaded;
    const all = this.#union(days, shown, loaded);
    await session.transaction(async () => {
      await session.run(
        `CREATE OR REPLACE TABLE ${this.#table} AS
          SELECT *${this.#dayOf(loaded)} FROM (SELECT ${typed(columns)} FROM ${STAGING})`,
      );
      await session.run(`DROP TABLE ${STAGING}`);
      await session.run(`CREATE OR REPLACE VIEW ${identifier(this.#relation.name)} AS ${all}`);
    });
  }

  /** SELECT of sealed days, then of the rows that are not sealed, in these types. */
  #union(
    days: readonly SealedDay[],
    types: readonly StoredColumn[],
    { columns, day }: Pick<Loaded, 'columns' | 'day'>,
  ): string {
    const list = types.map(
      ({ name, type }, index) =>
        `${convert(identifier(name), columns[index]!.type, type)} AS ${identifier(name)}`,
    );
    if (day !== null) list.push(identifier(day));
    const unsealed = `SELECT ${list.join(', ')} FROM ${this.#table}`;
    return [...this.#history.selects(days, types, day), unsealed].join(' UNION ALL ');
  }

  /** `, <local day of the time column> AS date`, kept with the rows: asking a time zone for each is what costs. */
  #dayOf({ columns, day, timeColumn }: Pick<Loaded, 'columns' | 'day' | 'timeColumn'>): string {
    const time = columns.find(({ column }) => column.name === timeColumn);
    if (day === null || time === undefined) return '';
    return `, CAST(TRY_CAST(${identifier(time.name)} AS TIMESTAMPTZ) AS DATE) AS ${identifier(day)}`;
  }

  /** The sealed days of which a window may have rows. Without any bound a window is of the CSV file's days. */
  #daysIn({ from, to }: Range, days: readonly SealedDay[]): readonly SealedDay[] {
    if (from === null && to === null) return [];
    const first = from === null ? null : this.#localDays.dateOf(from);
    const last = to === null ? null : this.#localDays.dateOf(to);
    return days.filter(({ date }) => (first === null || date >= first) && (last === null || date <= last));
  }
}

function asShown(column: StoredColumn): StoredColumn {
  return { ...column, type: column.shown };
}

function dayName(columns: readonly StoredColumn[]): string {
  const taken = new Set(columns.map(({ name }) => folded(name)));
  const free = (name: string): string => (taken.has(name) ? free(`local_${name}`) : name);
  return free(DAY);
}
