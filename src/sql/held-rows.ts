import { DuckDBDoubleVector } from '@duckdb/node-api';
import { CodedColumn, MOST_CELLS } from '../windows/columns/coded-column.js';
import type { ColumnRows } from '../windows/columns/column-groups.js';
import type { NeededColumns } from '../windows/columns/needed-columns.js';
import { NumberColumn } from '../windows/columns/number-column.js';
import { heldCodeSql, heldNumberSql, heldText, heldTimeSql } from '../windows/compile/columns-sql.js';
import { columnNamed } from '../windows/compile/rows-sql.js';
import type { SqlColumn, SqlTable } from '../windows/compile/sql-table.js';
import { toByteText } from '../windows/direct/byte-text.js';
import type { Session } from './session.js';

/** Bytes of a row in one column, at most. */
const BYTES_PER_CELL = 8;
/** What an empty one counts for: the size of something in a cache is above 0. */
const LEAST_SIZE = 1_000;

/** A column being read: how DuckDB gives its cells as DOUBLE, and where they go. */
interface Held {
  readonly column: NumberColumn | CodedColumn;
  sqlOf(session: Session, column: SqlColumn, table: SqlTable, offset: number): Promise<string | null>;
  append(cells: Float64Array): void;
}

/** The columns in memory of one load of a table, which only grows. */
export class HeldRows {
  readonly load: string;
  readonly #asked = new Set<string>();
  /** By `keyOf`. Null: it has too many different cells. */
  readonly #columns = new Map<string, Held | null>();
  /** The rows that the table had in a state. */
  #known: { readonly state: string; readonly count: number } | null = null;

  constructor(load: string) {
    this.load = load;
  }

  /** Bytes of memory, about. */
  get size(): number {
    let size = LEAST_SIZE;
    for (const held of this.#columns.values()) size += held?.column.size ?? 0;
    return size;
  }

  /** Whether all of these columns were asked for before. */
  isAsked(needed: NeededColumns): boolean {
    const keys = keysOf(needed).map(({ key }) => key);
    const isAsked = keys.every((key) => this.#asked.has(key));
    for (const key of keys) this.#asked.add(key);
    return isAsked;
  }

  /** The columns in a state of the table, if they are known. */
  at(state: string, needed: NeededColumns): ColumnRows | null {
    if (this.#known?.state !== state) return null;
    const { count } = this.#known;
    const isComplete = keysOf(needed).every(({ key }) => this.#columns.get(key)?.column.now.count === count);
    return isComplete ? this.#rows(needed, count) : null;
  }

  /**
   * Reads what these columns lack. The session has a snapshot of this state of the table. Null: they take more than
   * `mostBytes`, or have too many different cells.
   */
  async follow(
    session: Session,
    table: SqlTable,
    state: string,
    needed: NeededColumns,
    mostBytes: number,
  ): Promise<ColumnRows | null> {
    const [[rows] = []] = await session.rows(`SELECT count(*) FROM ${table.from}`);
    const count = Number(rows);
    const keys = keysOf(needed);
    if (count * keys.length * BYTES_PER_CELL > mostBytes) return null;
    for (const { key, kind } of keys) if (!this.#columns.has(key)) this.#columns.set(key, heldAs(kind));
    const offsets = new Set(keys.map(({ key }) => this.#columns.get(key)?.column.now.count ?? count));
    for (const offset of offsets) {
      const lacking = keys.filter(({ key }) => this.#columns.get(key)?.column.now.count === offset);
      if (offset < count) await this.#append(session, table, lacking, offset, count);
    }
    this.#known = { state, count };
    return this.at(state, needed);
  }

  async #append(
    session: Session,
    table: SqlTable,
    keys: readonly Key[],
    offset: number,
    count: number,
  ): Promise<void> {
    const read: Held[] = [];
    const list: string[] = [];
    for (const { key, name } of keys) {
      const held = this.#columns.get(key)!;
      const sql = await held.sqlOf(session, columnNamed(table.columns, name), table, offset);
      if (sql === null) this.#columns.set(key, null);
      else {
        held.column.reserve(count);
        read.push(held);
        list.push(sql);
      }
    }
    if (read.length === 0) return;
    const result = await session.stream(`SELECT ${list.join(', ')} FROM ${table.from} OFFSET ${offset}`);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const [index, held] of read.entries()) held.append(doublesOf(chunk.getColumnVector(index)));
    }
    // A streamed statement that fails ends like a complete one: what was read of these columns is of no use then.
    for (const { key } of keys) {
      const held = this.#columns.get(key);
      if (held != null && held.column.now.count !== count) this.#columns.delete(key);
    }
  }

  #rows({ time, numbers, coded }: NeededColumns, count: number): ColumnRows {
    const numbersOf = (key: string) => (this.#columns.get(key)!.column as NumberColumn).now;
    return {
      count,
      time: time === null ? null : numbersOf(keyOf('time', time)),
      numbers: new Map(numbers.map((name) => [name, numbersOf(keyOf('number', name))])),
      coded: new Map(
        coded.map((name) => [name, (this.#columns.get(keyOf('coded', name))!.column as CodedColumn).now]),
      ),
    };
  }
}

type Kind = 'time' | 'number' | 'coded';

interface Key {
  readonly key: string;
  readonly kind: Kind;
  readonly name: string;
}

/** One column may be read in several ways. */
function keyOf(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}

function keysOf({ time, numbers, coded }: NeededColumns): readonly Key[] {
  const all = (kind: Kind, names: readonly string[]) =>
    names.map((name) => ({ key: keyOf(kind, name), kind, name }));
  return [...all('time', time === null ? [] : [time]), ...all('number', numbers), ...all('coded', coded)];
}

function heldAs(kind: Kind): Held {
  if (kind === 'coded') return new HeldCodes();
  const column = new NumberColumn();
  return {
    column,
    sqlOf: async (_, source) => (kind === 'time' ? heldTimeSql(source) : heldNumberSql(source)),
    append: (cells) => column.append(cells),
  };
}

/** A column whose different cells are read before the cells themselves. */
class HeldCodes implements Held {
  readonly column = new CodedColumn();
  #codes: Uint16Array = new Uint16Array(0);

  /** Null: there are too many different cells. */
  async sqlOf(
    session: Session,
    column: SqlColumn,
    { from }: SqlTable,
    offset: number,
  ): Promise<string | null> {
    const appended = `SELECT ${heldText(column)} AS cell FROM ${from} OFFSET ${offset}`;
    const found = await session.rows(
      `SELECT DISTINCT cell FROM (${appended}) WHERE cell IS NOT NULL LIMIT ${MOST_CELLS + 1}`,
    );
    const texts = found.map(([text]) => String(text));
    // A statement ends at this character.
    if (texts.some((text) => text.includes('\0'))) return null;
    const codes = texts.length > MOST_CELLS ? null : this.column.codesOf(texts.map(toByteText));
    this.#codes = codes ?? this.#codes;
    return codes === null ? null : heldCodeSql(column, texts);
  }

  append(cells: Float64Array): void {
    this.column.append(cells, this.#codes);
  }
}

function doublesOf(vector: unknown): Float64Array {
  if (!(vector instanceof DuckDBDoubleVector)) throw new TypeError('columns are read as DOUBLE');
  // The memory of the numbers is private in the package; TypeScript allows access in brackets.
  // biome-ignore lint/complexity/useLiteralKeys: see above
  return vector['items'];
}
