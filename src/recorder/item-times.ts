import type { Logger } from '../base/logger.js';
import { sameColumns } from '../csv/columns.js';
import { decodeRow, rowAt } from '../csv/decode.js';
import { isSameMemory } from '../csv/encode.js';
import { type ItemTime, type OddTimes, type Rewritten, withItemTimes } from '../csv/item-time.js';
import { rowKey } from '../csv/row-blocks.js';
import { AHEAD } from '../csv/row-time.js';
import type { Cell, Column, EncodedRows } from '../csv/rows.js';
import type { ColumnException } from '../datasets/dataset.js';
import type { DeltaReading } from '../sources/source.js';
import { appendedBy, type RecorderOptions } from './recorder-options.js';

/** Characters of a value that are shown. */
const MOST_SHOWN = 80;

/** What is odd about some values, after "is", and what happens to the items that have one. */
interface Oddity {
  readonly problem: string;
  readonly consequence: string;
}

const WRONG: Oddity = {
  problem: 'not a time',
  consequence: 'an item without a time has an empty cell, and windows by time leave it out',
};
const UNBELIEVABLE: Oddity = {
  problem: 'before 1970, or more than a day ahead',
  consequence: 'such an item is filed under the day of the poll that found it',
};

/** The columns of a table with the type of the items' time: `time`, whatever its values are in DynamoDB. */
export function withTimeColumn(
  columns: readonly Column[],
  time: ItemTime | null | undefined,
): readonly Column[] {
  if (time == null) return columns;
  return columns.map((column) => (column.name === time.column ? { ...column, type: 'time' } : column));
}

/** The times of the items of a source; null: they have none. */
export function timesOf(
  options: Pick<RecorderOptions, 'time' | 'name' | 'log' | 'append' | 'logger'>,
): ItemTimes | null {
  const { time, name, logger } = options;
  return time == null ? null : new ItemTimes(time, name, appendedBy(options) !== null, logger);
}

/**
 * The times of a table's items: rewrites what the attribute holds as times, and keeps what is odd about the values, for
 * the service log and `/datasets`.
 */
export class ItemTimes {
  readonly time: ItemTime;
  readonly #dataset: string;
  readonly #logger: Logger;
  /** Whether the items are filed by their time. */
  readonly #isLog: boolean;
  /** The latest full reading: one that found nothing changed has the same rows. */
  #last: Rewritten | null = null;
  readonly #wrong = new OddItems(WRONG);
  readonly #unbelievable = new OddItems(UNBELIEVABLE);

  constructor(time: ItemTime, dataset: string, isLog: boolean, logger: Logger) {
    this.time = time;
    this.#dataset = dataset;
    this.#isLog = isLog;
    this.#logger = logger;
  }

  /** Values that are not times, or not to be believed; empty if there are none. */
  get exceptions(): readonly ColumnException[] {
    const column = this.time.column;
    return [this.#wrong, this.#unbelievable].flatMap((odd) => odd.exception(column) ?? []);
  }

  /** The rows of all items with their times. `readAt`: when they were read, milliseconds since the epoch. */
  async ofAll(rows: EncodedRows, keys: readonly string[], readAt: number): Promise<EncodedRows> {
    const last = this.#last;
    const timed =
      last !== null && isSameMemory(last.read.body, rows.body) && sameColumns(last.read.columns, rows.columns)
        ? last.timed
        : await withItemTimes(rows, this.time, readAt + AHEAD, last);
    this.#last = { read: rows, timed };
    this.#wrong.replace(rows, timed.wrong, keys);
    this.#unbelievable.replace(timed.rows, this.#isLog ? timed.unbelievable : NONE, keys);
    this.#tell();
    return { ...timed.rows, columns: rows.columns };
  }

  /** The rows of records of a delta with their times. */
  async ofRecords(rows: EncodedRows, keys: readonly string[], readAt: number): Promise<EncodedRows> {
    const timed = await withItemTimes(rows, this.time, readAt + AHEAD);
    this.#last = null;
    this.#wrong.update(rows, timed.wrong, keys);
    this.#unbelievable.update(timed.rows, this.#isLog ? timed.unbelievable : NONE, keys);
    this.#tell();
    return timed.rows;
  }

  /** The order of a full reading, by keys of which one may be the items' time: it was a number or text in the source. */
  comparing(keys: readonly string[], compareKeys: DeltaReading['compareKeys']): DeltaReading['compareKeys'] {
    const place = keys.indexOf(this.time.column);
    if (place === -1) return compareKeys;
    const inSource = (cells: readonly Cell[]) =>
      cells.map((cell, index) => (index === place && cell ? String(Date.parse(cell)) : cell));
    return (a, b) => compareKeys(inSource(a), inSource(b));
  }

  #tell(): void {
    for (const odd of [this.#wrong, this.#unbelievable])
      odd.tell(this.#dataset, this.time.column, this.#logger);
  }
}

const NONE: OddTimes = { count: 0, listed: [] };

/** The items whose time is odd in one way. */
class OddItems {
  readonly #oddity: Oddity;
  /** Values by encoded key; the first ones only. */
  #listed = new Map<string, string>();
  /** How many there are beyond those. */
  #others = 0;
  #keys: readonly string[] = [];
  #isTold = false;

  constructor(oddity: Oddity) {
    this.#oddity = oddity;
  }

  /** Of all items. */
  replace(rows: EncodedRows, { count, listed }: OddTimes, keys: readonly string[]): void {
    this.#keys = keys;
    this.#listed = new Map(listed.map(({ row, text }) => [rowKey(rowAt(rows, row), keys.length), text]));
    this.#others = count - listed.length;
  }

  /** Of some items; each row is one that was put or removed. */
  update(rows: EncodedRows, { listed }: OddTimes, keys: readonly string[]): void {
    this.#keys = keys;
    const odd = new Map(listed.map(({ row, text }) => [row, text]));
    for (let row = 0; row < rows.ends.length; row++) {
      const key = rowKey(rowAt(rows, row), keys.length);
      const text = odd.get(row);
      if (text === undefined) this.#listed.delete(key);
      else this.#listed.set(key, text);
    }
  }

  exception(column: string): ColumnException | null {
    const [first] = this.#listed;
    if (first === undefined) return null;
    const [key, value] = first;
    const cells = decodeRow(Buffer.from(key, 'latin1'));
    return {
      column,
      problem: this.#oddity.problem,
      count: this.#listed.size + this.#others,
      key: Object.fromEntries(this.#keys.map((name, index) => [name, cells[index] ?? ''])),
      value: value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN - 1)}…` : value,
    };
  }

  /** Logs that there are odd values, once until there are none. */
  tell(dataset: string, column: string, logger: Logger): void {
    const found = this.exception(column);
    if (found !== null && !this.#isTold) {
      const { count, key, value, problem } = found;
      const values = count === 1 ? '1 value is' : `${count} values are`;
      logger.warn(
        { dataset, column, count, key, value },
        `${column}: ${values} ${problem}; ${this.#oddity.consequence}`,
      );
    }
    if (found === null && this.#isTold)
      logger.info({ dataset, column }, `${column}: no value is ${this.#oddity.problem} any more`);
    this.#isTold = found !== null;
  }
}
