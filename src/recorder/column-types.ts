import type { Logger } from '../base/logger.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import { noRows } from '../csv/encode.js';
import type { Column, ColumnType, EncodedRows } from '../csv/rows.js';
import { noCells, type Tally, tallyCells, typeOfCells } from '../csv/tally.js';
import type { ColumnException } from '../datasets/dataset.js';
import type { Reading } from '../sources/source.js';

/** The types that the configuration declares, by published column. */
export type DeclaredTypes = Readonly<Record<string, ColumnType>>;

/** Characters of a value that are shown. */
const LONGEST_VALUE = 80;
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
  readonly #logged = new Map<string, 'exception' | 'text'>();

  constructor(options: ColumnTypesOptions) {
    this.#options = options;
    // Until a full reading says more, any declared column may have other values.
    this.#mixed = new Set(Object.keys(options.declared));
  }

  /**
   * Looks at the items only if columns have values of several types.
   * @param columns those of the table after a reading
   * @param allItems returns all items after it
   * @param before the table's columns before it
   * @param found the columns of the reading itself, under their published names
   */
  async decide(
    columns: readonly Column[],
    allItems: () => Promise<EncodedRows>,
    keyCount: number,
    before: readonly Column[],
    found: readonly Column[],
    reading: Pick<Reading, 'kind'> & { readonly mixed: readonly string[] },
  ): Promise<{ readonly columns: readonly Column[]; readonly exceptions: readonly ColumnException[] }> {
    this.#mixed = this.#mixedAfter(before, found, reading);
    const declared = withDeclared(columns, this.#options.declared);
    const inQuestion = declared.filter((column) => isInQuestion(column, this.#mixed));
    const rows = inQuestion.length === 0 ? noRows(columns) : await allItems();
    const tallies = await this.#tally(rows, inQuestion);
    const recorded = new Map(before.map((column) => [column.name, column]));
    const decided = declared.map((column) => {
      const tally = tallies.get(column.name);
      if (tally === undefined || column.declared === true) return column;
      const before = recorded.get(column.name);
      // A full reading whose values all have one type knows it; a single value may deviate.
      const isKnown = reading.kind === 'full' && !reading.mixed.includes(column.name) && tally.total > 1;
      return isKnown ? column : { ...column, type: typeOfCells(tally, before) };
    });
    const exceptions = decided.flatMap((column) =>
      exceptionOf(column, tallies.get(column.name), rows, keyCount),
    );
    for (const column of decided) {
      const { name } = column;
      const tally = tallies.get(name);
      const exception = exceptions.find((one) => one.column === name);
      const exampleOf = (type: ColumnType) =>
        tally === undefined ? null : firstMisfit(tally, type, rows, keyCount);
      this.#log(column, recorded.get(name), tally, { exception, exampleOf });
    }
    return {
      columns: decided.every((column, index) => column === declared[index]) ? declared : decided,
      exceptions,
    };
  }

  #mixedAfter(
    before: readonly Column[],
    found: readonly Column[],
    { kind, mixed }: Pick<Reading, 'kind'> & { readonly mixed: readonly string[] },
  ): ReadonlySet<string> {
    const { declared } = this.#options;
    const types = new Map(before.map((column) => [column.name, column]));
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

  /** Logs what is wrong with a column, once until it is right again. */
  #log(column: Column, before: Column | undefined, tally: Tally | undefined, found: Found): void {
    const { logger, name: dataset } = this.#options;
    const { name, type, declared } = column;
    const logged = this.#logged.get(name);
    const isTextNow = type === 'string' && declared !== true && (tally !== undefined || isTyped(before));
    const state = found.exception !== undefined ? 'exception' : isTextNow ? 'text' : undefined;
    if (state === logged) return;
    if (state === undefined) {
      this.#logged.delete(name);
      logger.info({ dataset, column: name }, `all values of ${name} are ${NOUNS[type]}s again`);
      return;
    }
    this.#logged.set(name, state);
    if (found.exception !== undefined) {
      const { count, key, value } = found.exception;
      logger.warn(
        { dataset, column: name, count, key, value },
        describeException(column, found.exception, tally!),
      );
    } else {
      const usual = isTyped(before) ? before!.type : 'number';
      const example = tally === undefined ? null : found.exampleOf(usual);
      logger.warn({ dataset, column: name, ...example }, describeText(name, usual, tally, example));
    }
  }
}

/** What is odd about a column, and the first value that does not fit a type. */
interface Found {
  readonly exception: ColumnException | undefined;
  readonly exampleOf: (type: ColumnType) => Example | null;
}

type Example = Pick<ColumnException, 'key' | 'value'>;

/** The items' time is text or a number in the source, and has become a time before. */
function isInQuestion({ name, type, declared }: Column, mixed: ReadonlySet<string>): boolean {
  return mixed.has(name) && type !== 'time' && !(declared === true && type === 'string');
}

function isTyped(column: Column | undefined): boolean {
  return column?.seen === true && (column.type === 'number' || column.type === 'boolean');
}

function exceptionOf(
  { name, type }: Column,
  tally: Tally | undefined,
  rows: EncodedRows,
  keyCount: number,
): readonly ColumnException[] {
  if (tally === undefined || (type !== 'number' && type !== 'boolean')) return [];
  const { count } = tally.misfits[type];
  if (count === 0) return [];
  return [
    { column: name, problem: `not a ${NOUNS[type]}`, count, ...firstMisfit(tally, type, rows, keyCount)! },
  ];
}

/** The first value that does not fit a type, with its item's key; null: there is none. */
function firstMisfit(tally: Tally, type: ColumnType, rows: EncodedRows, keyCount: number): Example | null {
  const { row, text } = tally.misfits[type === 'boolean' ? 'boolean' : 'number'];
  if (row < 0) return null;
  const cells = decodeRow(rowAt(rows, row));
  const keys = rows.columns.slice(0, keyCount);
  const value = decodeRow(Buffer.from(`${text}\n`, 'latin1'))[0] ?? '';
  return {
    key: Object.fromEntries(keys.map(({ name }, index) => [name, cells[index] ?? ''])),
    value: value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE - 1)}…` : value,
  };
}

/** `order_id=o-4` */
function keyText({ key }: Pick<ColumnException, 'key'>): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

function describeException({ name, declared }: Column, exception: ColumnException, { total }: Tally): string {
  const { count, problem } = exception;
  const [are, their, them] = count === 1 ? ['is', 'its', 'it'] : ['are', 'their', 'them'];
  const remedy =
    declared === true ? 'declare another type' : `set types: { ${name}: string } to make the column text`;
  return `${count} of ${total} values of ${name} ${are} ${problem}, the first in item ${keyText(exception)}: the CSV keeps ${their} text, but filters, sorts, aggregates and SQL treat ${them} as absent; correct ${them}, or ${remedy}`;
}

function describeText(
  name: string,
  usual: ColumnType,
  tally: Tally | undefined,
  example: Example | null,
): string {
  const { total, misfits } = tally ?? { total: 0, misfits: noCells().misfits };
  const { count } = misfits[usual === 'boolean' ? 'boolean' : 'number'];
  const why =
    example === null
      ? `none of its values is a ${NOUNS[usual]} any more`
      : `${count} of ${total} values are not ${NOUNS[usual]}s, the first in item ${keyText(example)}`;
  return `the column ${name} is text now: ${why}; set types: { ${name}: ${usual} } to keep it a ${NOUNS[usual]}`;
}
