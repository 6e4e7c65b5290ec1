import { createYielder } from '../base/event-loop.js';
import type { Logger } from '../base/logger.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import { fits } from '../csv/fits.js';
import type { Column, ColumnType, EncodedRows } from '../csv/rows.js';
import { cellEnd } from '../csv/scan.js';
import type { Mismatch } from '../datasets/dataset.js';
import type { Reading } from '../sources/source.js';

/** The types that the configuration declares, by published column. */
export type DeclaredTypes = Readonly<Record<string, ColumnType>>;

/** A number in DynamoDB's own notation: `00123` is text that only looks like one. */
const PLAIN_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
/** Characters of a value that are shown. */
const LONGEST_VALUE = 100;
const NOUNS: Readonly<Record<ColumnType, string>> = {
  number: 'number',
  boolean: 'boolean',
  time: 'time',
  string: 'text',
};

/** The columns with declared types; a declared type counts as seen. */
export function withDeclared(columns: readonly Column[], declared: DeclaredTypes): readonly Column[] {
  const isKept = columns.every(({ name, type, seen, declared: is }) =>
    Object.hasOwn(declared, name) ? is === true && seen && type === declared[name] : is === undefined,
  );
  return isKept ? columns : columns.map((column) => declaredColumn(column, declared));
}

function declaredColumn({ name, type, seen }: Column, declared: DeclaredTypes): Column {
  return Object.hasOwn(declared, name)
    ? { name, type: declared[name]!, seen: true, declared: true }
    : { name, type, seen };
}

/** What the cells of a column hold. */
interface Tally {
  total: number;
  /** Numbers as DynamoDB writes them, and booleans. */
  number: number;
  boolean: number;
  /** Cells that do not fit each of these types, and the first one's row and text. */
  readonly misfits: Record<'number' | 'boolean', Misfits>;
}

interface Misfits {
  count: number;
  row: number;
  text: string;
}

/** What was decided on some rows, for a poll that finds the same ones. */
interface Decision {
  readonly rows: EncodedRows;
  readonly wanted: string;
  readonly tallies: ReadonlyMap<string, Tally>;
}

export interface ColumnTypesOptions {
  /** Published name, for the service log. */
  readonly name: string;
  readonly declared: DeclaredTypes;
  readonly logger: Logger;
}

/**
 * Decides on the type of each column of a table, and finds the values that do not fit it.
 *
 * A declared type holds. Otherwise a column whose values all have one type has that type, and one with values of several
 * types is a number (or boolean) column if at least half of its values in the latest poll are, or all but one. So a
 * deviating value changes nothing but itself, and the type is right again as soon as the values are.
 */
export class ColumnTypes {
  readonly #options: ColumnTypesOptions;
  /** Columns with values of several types, since the last full reading. */
  #mixed: ReadonlySet<string>;
  #decision: Decision | null = null;
  /** What is wrong with each column, as last logged. */
  readonly #logged = new Map<string, 'mismatch' | 'text'>();

  constructor(options: ColumnTypesOptions) {
    this.#options = options;
    // Until a full reading says more, any declared column may have other values.
    this.#mixed = new Set(Object.keys(options.declared));
  }

  /**
   * @param rows all items after a reading
   * @param before the table's columns before it
   * @param found the columns of the reading itself, under their published names
   */
  async decide(
    rows: EncodedRows,
    keyCount: number,
    before: readonly Column[],
    found: readonly Column[],
    reading: Pick<Reading, 'kind'> & { readonly mixed: readonly string[] },
  ): Promise<{ readonly columns: readonly Column[]; readonly mismatches: readonly Mismatch[] }> {
    this.#mixed = this.#mixedAfter(before, found, reading);
    const declared = withDeclared(rows.columns, this.#options.declared);
    const tallies = await this.#tally(
      rows,
      declared.filter(
        (column) => this.#mixed.has(column.name) && !(column.declared && column.type === 'string'),
      ),
    );
    const recorded = new Map(before.map((column) => [column.name, column]));
    const columns = declared.map((column) => {
      const tally = tallies.get(column.name);
      if (tally === undefined || column.declared === true) return column;
      return { ...column, type: typeOf(tally, recorded.get(column.name)) };
    });
    const mismatches = columns.flatMap((column) =>
      mismatchOf(column, tallies.get(column.name), rows, keyCount),
    );
    this.#log(columns, recorded, tallies, mismatches, rows, keyCount);
    return {
      columns: columns.every((column, index) => column === declared[index]) ? declared : columns,
      mismatches,
    };
  }

  #mixedAfter(
    before: readonly Column[],
    found: readonly Column[],
    { kind, mixed }: Pick<Reading, 'kind'> & { readonly mixed: readonly string[] },
  ): ReadonlySet<string> {
    const { declared } = this.#options;
    const types = new Map(kind === 'full' ? [] : before.map((column) => [column.name, column]));
    const differs = ({ name, type, seen }: Column) => {
      const known = types.get(name);
      const expected = Object.hasOwn(declared, name) ? declared[name] : known?.seen ? known.type : type;
      return seen && type !== expected;
    };
    const differing = found.filter(differs).map(({ name }) => name);
    return new Set([...(kind === 'full' ? [] : this.#mixed), ...mixed, ...differing]);
  }

  /** Counts what these columns hold; what it counted last if the rows are the same. */
  async #tally(rows: EncodedRows, wanted: readonly Column[]): Promise<ReadonlyMap<string, Tally>> {
    if (wanted.length === 0) return new Map();
    const last = this.#decision;
    const names = JSON.stringify(wanted.map(({ name }) => name));
    if (last?.rows.body === rows.body && last.rows.ends === rows.ends && last.wanted === names)
      return last.tallies;
    const tallies = await tallyCells(rows, new Set(wanted.map(({ name }) => name)));
    this.#decision = { rows, wanted: names, tallies };
    return tallies;
  }

  #log(
    columns: readonly Column[],
    recorded: ReadonlyMap<string, Column>,
    tallies: ReadonlyMap<string, Tally>,
    mismatches: readonly Mismatch[],
    rows: EncodedRows,
    keyCount: number,
  ): void {
    const { logger, name: dataset } = this.#options;
    const wrong = new Map(mismatches.map((mismatch) => [mismatch.column, mismatch]));
    for (const column of columns) {
      const { name: column_, type } = column;
      const before = recorded.get(column_);
      const mismatch = wrong.get(column_);
      const logged = this.#logged.get(column_);
      if (mismatch !== undefined) {
        this.#logged.set(column_, 'mismatch');
        if (logged === 'mismatch') continue;
        const { count, key } = mismatch;
        logger.warn(
          { dataset, column: column_, key, count },
          describeMismatch(column, mismatch, tallies.get(column_)!),
        );
      } else if (type === 'string' && column.declared !== true) {
        const wasTyped = before?.seen === true && before.type !== 'string';
        const tally = tallies.get(column_);
        if ((tally === undefined && !wasTyped) || logged === 'text') continue;
        this.#logged.set(column_, 'text');
        const usual = wasTyped ? before.type : 'number';
        const example = tally === undefined ? null : exampleOf(tally, usual, rows, keyCount);
        logger.warn({ dataset, column: column_, ...example }, describeText(column_, usual, tally, example));
      } else if (logged !== undefined) {
        this.#logged.delete(column_);
        logger.info(
          { dataset, column: column_ },
          `all values of the column ${JSON.stringify(column_)} are ${NOUNS[type]}s again`,
        );
      }
    }
  }
}

/** Counts the cells of these columns. Yields to the event loop. */
async function tallyCells(
  rows: EncodedRows,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = rows.columns.map(({ name }) => (wanted.has(name) ? noCells() : null));
  const last = tallies.findLastIndex((tally) => tally !== null);
  const { body, ends } = rows;
  const breathe = createYielder();
  for (let row = 0; row < ends.length; row++) {
    if ((row & 255) === 0) await breathe();
    let at = row === 0 ? 0 : ends[row - 1]!;
    for (let cell = 0; cell <= last; cell++) {
      const end = cellEnd(body, at);
      const tally = tallies[cell];
      if (tally != null && end > at) addCell(tally, body.toString('latin1', at, end), row);
      at = end + 1;
    }
  }
  return new Map(
    rows.columns.flatMap(({ name }, index) => (tallies[index] == null ? [] : [[name, tallies[index]!]])),
  );
}

function noCells(): Tally {
  const none = () => ({ count: 0, row: -1, text: '' });
  return { total: 0, number: 0, boolean: 0, misfits: { number: none(), boolean: none() } };
}

/** `written`: the cell as it is in the CSV, in quotes or not. */
function addCell(tally: Tally, written: string, row: number): void {
  tally.total += 1;
  if (PLAIN_NUMBER.test(written)) tally.number += 1;
  if (fits('boolean', written)) tally.boolean += 1;
  for (const type of ['number', 'boolean'] as const) {
    if (fits(type, written)) continue;
    const misfits = tally.misfits[type];
    if (misfits.count === 0) Object.assign(misfits, { row, text: written });
    misfits.count += 1;
  }
}

/** `recorded`: the column as it was before. */
function typeOf(tally: Tally, recorded: Column | undefined): ColumnType {
  const { total } = tally;
  const before = recorded?.seen ? recorded.type : null;
  const suits = (type: 'number' | 'boolean') => {
    const others = total - tally[type];
    return (tally[type] > 0 || type === before) && (others <= tally[type] || others <= 1);
  };
  if (total === 0 && before !== null) return before;
  if (before === 'boolean' && suits(before)) return before;
  return suits('number') ? 'number' : suits('boolean') ? 'boolean' : 'string';
}

function mismatchOf(
  { name, type }: Column,
  tally: Tally | undefined,
  rows: EncodedRows,
  keyCount: number,
): readonly Mismatch[] {
  if (tally === undefined || (type !== 'number' && type !== 'boolean')) return [];
  const { count } = tally.misfits[type];
  return count === 0 ? [] : [{ column: name, type, count, ...exampleOf(tally, type, rows, keyCount)! }];
}

/** The first value that does not fit a type, with its item's key; null: there is none. */
function exampleOf(
  tally: Tally,
  type: ColumnType,
  rows: EncodedRows,
  keyCount: number,
): { readonly key: string; readonly value: string } | null {
  const { row, text } = tally.misfits[type === 'boolean' ? 'boolean' : 'number'];
  if (row < 0) return null;
  const cells = decodeRow(rowAt(rows, row));
  const key = rows.columns
    .slice(0, keyCount)
    .map(({ name }, index) => `${name}=${cells[index] ?? ''}`)
    .join(', ');
  const value = decodeRow(Buffer.from(`${text}\n`, 'latin1'))[0] ?? '';
  return { key, value: value.slice(0, LONGEST_VALUE) };
}

function describeMismatch(
  { name, type, declared }: Column,
  { count, key }: Mismatch,
  { total }: Tally,
): string {
  const remedy =
    declared === true ? 'declare another type' : `set types: { ${name}: string } to make the column text`;
  return `${count} of ${total} values in the column ${JSON.stringify(name)} ${count === 1 ? 'is' : 'are'} not a ${NOUNS[type]}, the first one in the item ${key}: the CSV has them as they are, filters, sorts, aggregates and SQL take them as absent; correct them, or ${remedy}`;
}

function describeText(
  name: string,
  usual: ColumnType,
  tally: Tally | undefined,
  example: { readonly key: string } | null,
): string {
  const { total, misfits } = tally ?? { total: 0, misfits: noCells().misfits };
  const { count } = misfits[usual === 'boolean' ? 'boolean' : 'number'];
  const why =
    example === null
      ? `its values are no ${NOUNS[usual]}s any more`
      : `${count} of ${total} values are not a ${NOUNS[usual]}, the first one in the item ${example.key}`;
  return `the column ${JSON.stringify(name)} is text: ${why}; set types: { ${name}: ${usual} } to keep it a ${NOUNS[usual]}`;
}
