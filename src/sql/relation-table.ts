import type { LocalDays } from '../base/local-days.js';
import { SerialQueue } from '../base/serial-queue.js';
import { distinctNames, sameColumns, sameLayout } from '../csv/columns.js';
import { encodeFile } from '../csv/encode.js';
import { AHEAD } from '../csv/row-time.js';
import type { Column } from '../csv/rows.js';
import { datasetNotReadYet, datasetUnknown } from '../datasets/errors.js';
import { dayKey, type Relation, type SealedDay } from '../datasets/relation.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { folded, identifier } from '../windows/compile/sql-text.js';
import type { DamagedDays, SealedFile } from './damaged-days.js';
import { dropNamed } from './drop-named.js';
import type { Engine } from './engine.js';
import { dayMissing } from './errors.js';
import { STAGING, type StoredColumn, stage, typed, typedOrFail } from './loading.js';
import { readCsv } from './read-csv.js';
import { History } from './sealed-days.js';
import type { Session } from './session.js';
import type { Range, SealedHistory, SqlDataset, StoredRows } from './sql-dataset.js';
import { convert } from './sql-types.js';

/** The column that SQL adds to a log or to changes: the local day of its time column. */
const DAY = 'date';

/** A dataset as loaded into DuckDB. */
interface Loaded {
  readonly state: string;
  /** The state in which the table was last written anew, or rows in it changed; since then rows were only appended. */
  readonly load: string;
  /** What the rows have to be sorted by; absent: they are in the order of the CSV. */
  readonly order?: string;
  readonly version: string;
  readonly columns: readonly StoredColumn[];
  /** The same as SQL shows them, sealed days included. */
  readonly shown: readonly StoredColumn[];
  /** Name of the column with the local day; null: the dataset has no time. */
  readonly day: string | null;
  readonly timeColumn: string | null;
  readonly days: readonly SealedDay[];
  /** Changes when the columns of a file got other names. */
  readonly renames: number;
  /** Changes when a day became one that may leave this machine. */
  readonly departures: number;
  /** Whether the view with the dataset's name has all readable days, not only those that stay here. */
  readonly isWhole: boolean;
  /** What identifies the files of each readable day. */
  readonly files: ReadonlyMap<string, string>;
}

/** Counts the loads of all tables, so that a dataset that returns under its name never has an earlier state. */
let loads = 0;

function nextState(): string {
  loads += 1;
  return String(loads);
}

export interface RelationTableOptions {
  readonly engine: Engine;
  readonly relation: Relation;
  readonly localDays: LocalDays;
  readonly damagedDays: DamagedDays;
  /** Work that has to end before the first load. */
  readonly after: Promise<void>;
}

/**
 * A polled dataset, a lookup or a status dataset in DuckDB: the rows of its CSV as a table `raw.<name>`, updated on demand,
 * and all rows, sealed days included, as a view with the dataset's name.
 *
 * Appended rows are inserted in one statement, everything else is reloaded in one transaction, so a query sees whole polls
 * only.
 */
export class RelationTable implements SqlDataset {
  readonly #engine: Engine;
  readonly #relation: Relation;
  readonly #localDays: LocalDays;
  readonly #history: History;
  readonly #damagedDays: DamagedDays;
  readonly #queue = new SerialQueue();
  readonly #table: string;
  #loaded: Loaded | null = null;
  #isDropped = false;

  constructor({ engine, relation, localDays, damagedDays, after }: RelationTableOptions) {
    this.#engine = engine;
    this.#relation = relation;
    this.#localDays = localDays;
    this.#history = new History(engine);
    this.#damagedDays = damagedDays;
    this.#table = `raw.${identifier(relation.name)}`;
    void this.#queue.run(() => after);
  }

  async sync(): Promise<void> {
    if (this.#isCurrent()) return;
    await this.#queue.run(async () => {
      if (this.#isCurrent()) return;
      if ((await this.#append()) || (await this.#edit())) return;
      await this.#load();
    });
  }

  /** Never the same twice, even if the dataset returns to an earlier version. */
  get state(): string {
    return this.#current.state;
  }

  get sealedFiles(): readonly SealedFile[] {
    const { name: dataset, sealedDays } = this.#relation;
    return readable(sealedDays).flatMap(({ date, paths }) => paths.map((path) => ({ dataset, date, path })));
  }

  get history(): SealedHistory | null {
    const loaded = this.#current;
    const { days, day, shown, timeColumn } = loaded;
    if (days.length === 0) return null;
    const time = shown.find(({ column }) => column.name === timeColumn);
    const wantedOf = (isWanted: (date: string) => boolean) =>
      readable(days).filter(({ date }) => isWanted(date));
    return {
      dates: readable(days).map(({ date }) => date),
      isWhole: loaded.isWhole,
      pathsOf: (isWanted) => wantedOf(isWanted).flatMap(({ paths }) => paths),
      require: (isWanted) => this.#require(days.filter(({ date }) => isWanted(date))),
      day,
      time: time?.type === 'TIMESTAMPTZ' ? folded(time.name) : null,
      shape: JSON.stringify(shown.map(({ name, type }) => [name, type])),
      filesOf: (date) => loaded.files.get(date),
      select: (isWanted) => this.#union(wantedOf(isWanted), shown, loaded),
      sealed: (isWanted) => this.#history.selects(wantedOf(isWanted), shown, day).join(' UNION ALL '),
    };
  }

  table(range: Range): SqlTable {
    const loaded = this.#current;
    const { columns, days } = loaded;
    const wanted = this.#daysIn(range, days);
    this.#require(wanted);
    const types = wanted.length === 0 ? columns : this.#history.typesOver(wanted, columns);
    return {
      from: wanted.length === 0 ? this.#sorted(loaded) : `(${this.#union(wanted, types, loaded)})`,
      columns: types.map(({ column, name, type }) => ({ column, expression: identifier(name), type })),
    };
  }

  stored(range: Range): StoredRows | null {
    const { days, load } = this.#current;
    return this.#daysIn(range, days).length > 0 ? null : { table: this.table(range), load };
  }

  filesIn(range: Range): readonly string[] {
    return readable(this.#daysIn(range, this.#current.days)).flatMap(({ paths }) => paths);
  }

  #sorted({ order }: Loaded): string {
    return order === undefined ? this.#table : `(SELECT * FROM ${this.#table} ORDER BY ${order})`;
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
    return this.#loaded?.version === version && this.#hasDays(this.#loaded, sealedDays);
  }

  /** Whether these are the days that were loaded, and none of them became one that may leave. */
  #hasDays({ days, departures, renames }: Loaded, sealedDays: readonly SealedDay[]): boolean {
    if (days !== sealedDays || departures !== this.#engine.days.departuresOf(this.#relation.name))
      return false;
    return renames === this.#engine.renames || this.#history.isCurrent(readable(days));
  }

  /** Inserts the rows appended since the last load; false if everything has to be reloaded. */
  async #append(): Promise<boolean> {
    const { version, columns, sealedDays } = this.#relation;
    const loaded = this.#loaded;
    if (loaded === null || version === null || columns === null) return false;
    if (!this.#hasDays(loaded, sealedDays)) return false;
    const rows = this.#relation.appendedSince(loaded.version);
    const known = loaded.columns.map(({ column }) => column);
    // A type that widened, or a column's first value, may need another type in SQL.
    if (rows === null || !sameColumns(known, columns) || !sameLayout(known, rows.columns)) return false;
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

  /**
   * Deletes and inserts the rows that changed since the last load; false if everything has to be reloaded. The rows are then
   * no longer in order, so `table` sorts them.
   */
  async #edit(): Promise<boolean> {
    const { version, columns, keys, sealedDays } = this.#relation;
    const loaded = this.#loaded;
    if (loaded === null || version === null || columns === null) return false;
    if (!this.#hasDays(loaded, sealedDays)) return false;
    const rows = this.#relation.editedSince?.(loaded.version) ?? null;
    const known = loaded.columns.map(({ column }) => column);
    const key = loaded.columns.slice(0, keys.length);
    // Numbers that are text in SQL have another order.
    const isOrdered = key.every(({ column, type }) => (column.type === 'number') === (type !== 'VARCHAR'));
    if (rows === null || !sameColumns(known, columns) || !isOrdered) return false;
    const { scratch } = this.#engine;
    const replace = (removed: string, put: string) =>
      this.#engine.session({ caller: 'service' }, (session) => this.#replace(session, loaded, removed, put));
    const fits = await scratch
      .withFile(encodeFile(rows.removed), (removed) =>
        scratch.withFile(encodeFile(rows.put), (put) => replace(removed, put)),
      )
      .then(
        () => true,
        () => false,
      );
    const order = key.map(({ name }) => identifier(name)).join(', ');
    const state = nextState();
    if (fits) this.#loaded = { ...loaded, version, order, state, load: state };
    return fits;
  }

  /** `removed`, `put`: paths of CSV files. Rejects if a cell needs another type. */
  async #replace(session: Session, loaded: Loaded, removed: string, put: string): Promise<void> {
    const { columns } = loaded;
    const names = columns.map(({ name }) => name);
    const key = columns.slice(0, this.#relation.keys.length);
    const keyList = key.map(({ name }) => identifier(name)).join(', ');
    const touched = [removed, put].map((path) => `SELECT ${typedOrFail(key)} FROM ${readCsv(path, names)}`);
    await session.transaction(async () => {
      await session.run(`DELETE FROM ${this.#table} WHERE (${keyList}) IN (${touched.join(' UNION ALL ')})`);
      await session.run(
        `INSERT INTO ${this.#table} SELECT *${this.#dayOf(loaded)} FROM
          (SELECT ${typedOrFail(columns)} FROM ${readCsv(put, names)})`,
      );
    });
  }

  /** Binding the SELECT of the view opens files of sealed days, as reading their columns does. */
  #load(): Promise<void> {
    return this.#damagedDays.around(
      () => this.sealedFiles,
      () => this.#loadAll(),
    );
  }

  async #loadAll(): Promise<void> {
    const content = await this.#relation.content();
    const { timeColumn, name } = this.#relation;
    const departures = this.#engine.days.departuresOf(name);
    const { renames } = this.#engine;
    const days = await this.#learnDays(content.columns);
    await this.#engine.scratch.withFile(content.bytes, (path) =>
      this.#engine.session({ caller: 'service' }, async (session) => {
        const columns = await stage(session, path, content.columns);
        const state = nextState();
        const loaded = {
          version: content.version,
          columns,
          shown: this.#history.shownOver(readable(days), columns),
          day: timeColumn === null ? null : dayName(columns),
          timeColumn,
          days,
          departures,
          renames,
          isWhole: this.#staying(days).length === readable(days).length,
          files: new Map(readable(days).map((day) => [day.date, dayKey(day)])),
          state,
          load: state,
        };
        await this.#publish(session, loaded);
        this.#engine.watched.note(this.#history.idsOf(readable(days)));
        this.#loaded = loaded;
      }),
    );
  }

  /** The current sealed days, after `History` has read their files' columns. `columns`: those of the unsealed rows. */
  async #learnDays(columns: readonly Column[]): Promise<readonly SealedDay[]> {
    const { sealedDays } = this.#relation;
    const names = distinctNames(columns.map(({ name }) => name));
    await this.#history.learn(
      readable(sealedDays),
      columns.map((column, index) => ({ column, name: names[index]! })),
    );
    return sealedDays;
  }

  /** The readable days that do not leave this machine. */
  #staying(days: readonly SealedDay[]): readonly SealedDay[] {
    const { days: files } = this.#engine;
    return readable(days).filter(({ paths }) => !paths.some((path) => files.mayLeave(path)));
  }

  #require(wanted: readonly SealedDay[]): void {
    const missing = wanted.filter((day) => day.missing !== undefined);
    if (missing.length > 0) throw dayMissing(this.#relation.name, missing);
  }

  async #publish(session: Session, loaded: Loaded): Promise<void> {
    const { columns, shown, days } = loaded;
    const staying = this.#staying(days);
    session.needs(staying.flatMap(({ paths }) => paths));
    const all = this.#union(staying, shown, loaded);
    await session.transaction(async () => {
      await session.run(
        `CREATE OR REPLACE TABLE ${this.#table} AS
          SELECT *${this.#dayOf(loaded)} FROM (SELECT ${typed(columns)} FROM ${STAGING})`,
      );
      await session.run(`DROP TABLE ${STAGING}`);
      await session.run(`CREATE OR REPLACE VIEW ${identifier(this.#relation.name)} AS ${all}`);
    });
  }

  /** SELECT of the sealed days and then of the unsealed rows, in these types. */
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

  /** `, <local day of the time column> AS date`, stored with the rows, because converting each row's time zone is expensive. */
  #dayOf({ columns, day, timeColumn }: Pick<Loaded, 'columns' | 'day' | 'timeColumn'>): string {
    const instant = (name: string | null | undefined) => {
      const found = columns.find(({ column }) => column.name === name);
      return found === undefined ? null : `TRY_CAST(${identifier(found.name)} AS TIMESTAMPTZ)`;
    };
    const time = instant(timeColumn);
    if (day === null || time === null) return '';
    const { pollColumn } = this.#relation;
    const poll = pollColumn === timeColumn ? null : instant(pollColumn);
    return `, CAST(${poll === null ? time : filedSql(time, poll)} AS DATE) AS ${identifier(day)}`;
  }

  /** The sealed days that a window may need. A window without bounds covers only the CSV file's days. */
  #daysIn({ from, to }: Range, days: readonly SealedDay[]): readonly SealedDay[] {
    if (from === null && to === null) return [];
    const first = from === null ? null : this.#localDays.dateOf(from);
    const last = to === null ? null : this.#localDays.dateOf(to - 1);
    return days.filter(({ date }) => (first === null || date >= first) && (last === null || date <= last));
  }
}

/** As `filedAt` does it for sealing, so that a row's day does not change when it is sealed. */
function filedSql(time: string, poll: string): string {
  const isBelieved = `${time} >= make_timestamptz(0) AND epoch_ms(${time}) <= epoch_ms(${poll}) + ${AHEAD}`;
  return `CASE WHEN ${isBelieved} THEN ${time} ELSE ${poll} END`;
}

function readable(days: readonly SealedDay[]): readonly SealedDay[] {
  return days.some(({ missing }) => missing !== undefined)
    ? days.filter(({ missing }) => missing === undefined)
    : days;
}

function dayName(columns: readonly StoredColumn[]): string {
  const taken = new Set(columns.map(({ name }) => folded(name)));
  const free = (name: string): string => (taken.has(name) ? free(`local_${name}`) : name);
  return free(DAY);
}
