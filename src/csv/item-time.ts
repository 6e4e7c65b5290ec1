import { createYielder } from '../base/event-loop.js';
import { sameLayout } from './columns.js';
import { decodeRow, rowAt } from './decode.js';
import { bodyBehindHeader } from './encode.js';
import { parseInstant } from './instant.js';
import type { EncodedRows } from './rows.js';
import { cellEnd, QUOTE } from './scan.js';

/** Units of times that are numbers since 1970-01-01T00:00:00Z. */
export const TIME_UNITS = ['s', 'ms', 'us'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** The attribute that is the time of a table's items. */
export interface ItemTime {
  /** The published name of its column. */
  readonly column: string;
  /** The unit of its numbers; null: found out by their magnitude. */
  readonly unit: TimeUnit | null;
}

/** A cell that is not a time, or one that is not to be believed. */
export interface OddTime {
  readonly row: number;
  readonly text: string;
}

/** Some cells of a column. */
export interface OddTimes {
  readonly count: number;
  /** The first of them, `MOST_LISTED` at most. */
  readonly listed: readonly OddTime[];
}

export interface TimedRows {
  /** The rows with their times in the form of all times in CSV, `2026-11-24T09:30:00.000Z`. */
  readonly rows: EncodedRows;
  /** Values that are not times: their cells are empty now. */
  readonly wrong: OddTimes;
  /** Times before 1970, or later than `latest`. Their cells are times. */
  readonly unbelievable: OddTimes;
}

const MOST_LISTED = 1_000;

/** The years that `2026-11-24T09:30:00.000Z` has room for. */
const FIRST_INSTANT = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * The instant of an item in milliseconds since the epoch: ISO 8601 (without a zone it is UTC; a date alone is midnight),
 * or a number since 1970 in `unit`. Without a unit the magnitude decides, so that each unit has the times from 1973-03-03
 * to 5138-11-16: 1e8 to 1e11 are seconds, up to 1e14 milliseconds, up to 1e17 microseconds. Digits beyond milliseconds are
 * cut off. Null for anything else.
 */
export function instantOfItem(text: string, unit: TimeUnit | null): number | null {
  const number = /^(-?)(\d{1,17})(?:\.(\d+))?$/.exec(text);
  const instant =
    number === null ? parseInstant(text) : sinceEpoch(number[1]!, number[2]!, number[3] ?? '', unit);
  return instant !== null && instant >= FIRST_INSTANT && instant <= LAST_INSTANT ? instant : null;
}

function sinceEpoch(sign: string, whole: string, fraction: string, unit: TimeUnit | null): number | null {
  const known = unit ?? (sign === '' ? unitOf(Number(whole)) : null);
  switch (known) {
    case 's':
      // As text: 1764000000.123 times 1000 is not a whole number in floating point.
      return Number(`${sign}${whole}${fraction.slice(0, 3).padEnd(3, '0')}`);
    case 'ms':
      return Number(`${sign}${whole}`);
    case 'us':
      return Math.floor(Number(`${sign}${whole}`) / 1_000);
    default:
      return null;
  }
}

function unitOf(number: number): TimeUnit | null {
  if (number < 1e8 || number >= 1e17) return null;
  if (number < 1e11) return 's';
  return number < 1e14 ? 'ms' : 'us';
}

/** What rewriting rows took and gave. */
export interface Rewritten {
  readonly read: EncodedRows;
  readonly timed: TimedRows;
}

/**
 * Rewrites the cells of one column as times. Yields to the event loop. The body of the result is `rows.body` itself if
 * every cell has the form already; otherwise it follows its header in memory (`bodyBehindHeader`).
 * `latest`: a later time is not to be believed, milliseconds since the epoch. `before`: an earlier result with the same
 * columns; rows that are the same, in the same order, are copied from it, which takes a tenth of the time.
 */
export async function withItemTimes(
  rows: EncodedRows,
  { column, unit }: ItemTime,
  latest = Number.POSITIVE_INFINITY,
  before: Rewritten | null = null,
): Promise<TimedRows> {
  const place = rows.columns.findIndex(({ name }) => name === column);
  const rewriting = new Rewriting(rows, place, new TimeReader(unit), latest);
  const known = before === null ? null : new KnownRows(before, rows);
  const breathe = createYielder();
  for (let row = 0; row < rows.ends.length; ) {
    const same = known?.sameFrom(row) ?? null;
    if (same !== null) rewriting.copy(row, same);
    else rewriting.take(row);
    row += same?.count ?? 1;
    await breathe();
  }
  return rewriting.finish();
}

/** Rows of an earlier result: `count` of them from `from`. */
interface SameRows {
  readonly timed: EncodedRows;
  readonly from: number;
  readonly count: number;
}

/** Rows compared at once, and rows copied before yielding to the event loop. */
const MOST_COMPARED = 256;
const MOST_COPIED = 16_384;
/** How far the next known row is looked for. */
const LOOK_AHEAD = 4;
/** Bytes in which a known row is searched for after many new ones, and how often. */
const SEARCHED = 1 << 18;
const MOST_SEARCHES = 64;

/**
 * Finds the rows of an earlier reading in a later one. Both are in the order of their keys, so most rows meet their
 * counterpart at once; a row that does not is read anew, which is right too.
 */
class KnownRows {
  readonly #read: EncodedRows;
  readonly #timed: EncodedRows;
  readonly #rows: EncodedRows;
  /** The rows with odd times, which are read anew: whether one is to be believed depends on the clock. */
  readonly #odd: ReadonlySet<number>;
  readonly #isUsable: boolean;
  /** The next row of the earlier reading. */
  #next = 0;
  #searches = 0;
  /** Where the search found it among the rows, in bytes. */
  #foundAt = -1;

  constructor({ read, timed }: Rewritten, rows: EncodedRows) {
    this.#read = read;
    this.#timed = timed.rows;
    this.#rows = rows;
    const all = [timed.wrong, timed.unbelievable];
    this.#odd = new Set(all.flatMap(({ listed }) => listed.map(({ row }) => row)));
    this.#isUsable =
      sameLayout(read.columns, rows.columns) && all.every(({ count, listed }) => count === listed.length);
  }

  /** The earlier rows that are the same as those from `row` on; null: that row has to be read. */
  sameFrom(row: number): SameRows | null {
    if (!this.#isUsable || !this.#find(row)) return null;
    const from = this.#next;
    const count = this.#countSame(row);
    this.#next += Math.max(1, count);
    return count === 0 ? null : { timed: this.#timed, from, count };
  }

  /** Moves on to the earlier row that is the same as `row`, if there is one near. False: `row` is new, or was changed. */
  #find(row: number): boolean {
    for (let skipped = 0; skipped <= LOOK_AHEAD; skipped++) {
      if (!this.#isSame(row, this.#next + skipped)) continue;
      this.#next += skipped;
      return true;
    }
    if (!this.#isAhead(row)) this.#next += 1;
    return false;
  }

  /** Whether the next earlier row comes later in the rows: those before it are new. */
  #isAhead(row: number): boolean {
    for (let ahead = 1; ahead <= LOOK_AHEAD; ahead++) if (this.#isSame(row + ahead, this.#next)) return true;
    const { body, ends } = this.#rows;
    if (ends[row]! <= this.#foundAt) return true;
    if (this.#next >= this.#read.ends.length || this.#searches >= MOST_SEARCHES) return false;
    this.#searches += 1;
    const found = body.subarray(ends[row]!, ends[row]! + SEARCHED).indexOf(rowAt(this.#read, this.#next));
    this.#foundAt = found === -1 ? -1 : ends[row]! + found;
    return found !== -1;
  }

  #isSame(row: number, earlier: number): boolean {
    return this.#areSame(row, earlier, 1);
  }

  #areSame(row: number, earlier: number, count: number): boolean {
    const [one, other] = [this.#rows, this.#read];
    if (row + count > one.ends.length || earlier + count > other.ends.length) return false;
    const [a, aEnd] = [startOf(one, row), one.ends[row + count - 1]!];
    const [b, bEnd] = [startOf(other, earlier), other.ends[earlier + count - 1]!];
    return aEnd - a === bEnd - b && one.body.compare(other.body, b, bEnd, a, aEnd) === 0;
  }

  /** How many rows are the same from `row` and `#next` on, up to one that is odd. */
  #countSame(row: number): number {
    let count = 0;
    for (let step = MOST_COMPARED; step >= 1 && count < MOST_COPIED; ) {
      if (this.#areSame(row + count, this.#next + count, step)) count += step;
      else step >>= 1;
    }
    if (this.#odd.size === 0) return count;
    for (let same = 0; same < count; same++) if (this.#odd.has(this.#next + same)) return same;
    return count;
  }
}

function startOf({ ends }: EncodedRows, row: number): number {
  return row === 0 ? 0 : ends[row - 1]!;
}

/** `2026-11-24T09:30:00.000Z` */
const LENGTH = 24;

class Rewriting {
  readonly #rows: EncodedRows;
  readonly #place: number;
  readonly #reader: TimeReader;
  readonly #latest: number;
  readonly #ends: Uint32Array;
  readonly #wrong = new OddList();
  readonly #unbelievable = new OddList();
  /** Null while no cell differs. */
  #target: Buffer | null = null;
  #size = 0;
  /** The source up to here is in the target. */
  #taken = 0;

  constructor(rows: EncodedRows, place: number, reader: TimeReader, latest: number) {
    this.#rows = rows;
    this.#place = place;
    this.#reader = reader;
    this.#latest = latest;
    this.#ends = new Uint32Array(rows.ends.length);
  }

  take(row: number): void {
    const { body, ends } = this.#rows;
    let from = row === 0 ? 0 : ends[row - 1]!;
    for (let cell = 0; cell < this.#place; cell++) from = cellEnd(body, from) + 1;
    const to = cellEnd(body, from);
    if (to > from) this.#takeCell(row, from, to);
    this.#ends[row] = this.#size + ends[row]! - this.#taken;
  }

  /** Takes rows from `row` on as they were written before. */
  copy(row: number, { timed, from, count }: SameRows): void {
    const { columns, body, ends } = this.#rows;
    const [start, end] = [startOf(timed, from), timed.ends[from + count - 1]!];
    const isWritten = end - start === ends[row + count - 1]! - startOf(this.#rows, row);
    if (
      isWritten &&
      this.#target === null &&
      timed.body.compare(body, startOf(this.#rows, row), ends[row + count - 1]!, start, end) === 0
    ) {
      for (let at = row; at < row + count; at++) this.#ends[at] = ends[at]!;
      return;
    }
    this.#target ??= bodyBehindHeader(columns, body.length + LENGTH * ends.length);
    this.#copyUntil(startOf(this.#rows, row));
    const shift = this.#size - start;
    for (let at = 0; at < count; at++) this.#ends[row + at] = timed.ends[from + at]! + shift;
    this.#size += timed.body.copy(this.#target, this.#size, start, end);
    this.#taken = ends[row + count - 1]!;
  }

  finish(): TimedRows {
    const { columns, body } = this.#rows;
    const odd = { wrong: this.#wrong, unbelievable: this.#unbelievable };
    if (this.#target === null) return { rows: this.#rows, ...odd };
    this.#copyUntil(body.length);
    return { rows: { columns, body: this.#target.subarray(0, this.#size), ends: this.#ends }, ...odd };
  }

  #takeCell(row: number, from: number, to: number): void {
    const instant = this.#reader.read(this.#rows.body, from, to);
    if (instant === null) {
      this.#wrong.add(row, () => textIn(this.#rows.body, from, to));
      this.#replace(from, to, this.#rows.columns.length === 1 ? NO_CELL : NOTHING);
      return;
    }
    if (instant < 0 || instant > this.#latest) {
      this.#unbelievable.add(row, () => new Date(instant).toISOString());
    }
    if (!this.#reader.isWritten) this.#replace(from, to, this.#reader.write(instant));
  }

  #replace(from: number, to: number, instead: Buffer): void {
    const { columns, body, ends } = this.#rows;
    this.#target ??= bodyBehindHeader(columns, body.length + LENGTH * ends.length);
    this.#copyUntil(from);
    this.#size += instead.copy(this.#target, this.#size);
    this.#taken = to;
  }

  #copyUntil(end: number): void {
    this.#size += this.#rows.body.copy(this.#target!, this.#size, this.#taken, end);
    this.#taken = end;
  }
}

const NOTHING = Buffer.alloc(0);
/** A row with a single cell that is absent would be an empty line, which readers drop. */
const NO_CELL = Buffer.from('""');

class OddList implements OddTimes {
  count = 0;
  readonly listed: OddTime[] = [];

  add(row: number, text: () => string): void {
    this.count += 1;
    if (this.listed.length < MOST_LISTED) this.listed.push({ row, text: text() });
  }
}

const ZERO = 0x30;
const NINE = 0x39;
const DAY = 86_400_000;

/** Reads and writes the times of a column. Neighbouring ones are mostly of one day, whose text is kept. */
class TimeReader {
  readonly #unit: TimeUnit | null;
  readonly #text = Buffer.from('0000-00-00T00:00:00.000Z');
  /** Days since the epoch of the date in `#text`. */
  #day = Number.NaN;
  /** Whether the last cell that was read is written as all times are. */
  isWritten = false;

  constructor(unit: TimeUnit | null) {
    this.#unit = unit;
  }

  /** Milliseconds since the epoch of the cell in [from, to); null: it is not a time. */
  read(bytes: Buffer, from: number, to: number): number | null {
    const known = this.#readKnownDay(bytes, from, to);
    this.isWritten = known !== null;
    if (known !== null) return known;
    const text = textIn(bytes, from, to);
    const instant = instantOfItem(text, this.#unit);
    if (instant === null || to - from !== LENGTH) return instant;
    this.isWritten = this.write(instant).equals(bytes.subarray(from, to));
    return instant;
  }

  /** `2026-11-24T09:30:00.000Z`; the buffer is written again by the next call. */
  write(instant: number): Buffer {
    const day = Math.floor(instant / DAY);
    if (day !== this.#day) {
      this.#text.write(new Date(instant).toISOString(), 'latin1');
      this.#day = day;
      return this.#text;
    }
    const ms = instant - day * DAY;
    this.#writeTwo(11, Math.floor(ms / 3_600_000));
    this.#writeTwo(14, Math.floor(ms / 60_000) % 60);
    this.#writeTwo(17, Math.floor(ms / 1_000) % 60);
    this.#text[20] = ZERO + (Math.floor(ms / 100) % 10);
    this.#writeTwo(21, ms % 100);
    return this.#text;
  }

  #writeTwo(at: number, number: number): void {
    this.#text[at] = ZERO + Math.floor(number / 10);
    this.#text[at + 1] = ZERO + (number % 10);
  }

  /** The instant of a cell in the form of `#text`, of the same day; null for any other. */
  #readKnownDay(bytes: Buffer, from: number, to: number): number | null {
    if (to - from !== LENGTH || Number.isNaN(this.#day)) return null;
    for (let i = 0; i < LENGTH; i++) {
      const byte = bytes[from + i]!;
      const isDigit = i > 10 && this.#text[i]! >= ZERO && this.#text[i]! <= NINE;
      if (isDigit ? byte < ZERO || byte > NINE : byte !== this.#text[i]) return null;
    }
    const two = (at: number) => (bytes[from + at]! - ZERO) * 10 + bytes[from + at + 1]! - ZERO;
    const [hour, minute, second] = [two(11), two(14), two(17)];
    if (hour > 23 || minute > 59 || second > 59) return null;
    const ms = (bytes[from + 20]! - ZERO) * 100 + two(21);
    return this.#day * DAY + hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms;
  }
}

function textIn(bytes: Buffer, from: number, to: number): string {
  if (bytes[from] !== QUOTE) return bytes.toString('utf8', from, to);
  return decodeRow(bytes.subarray(from, to))[0] ?? '';
}
