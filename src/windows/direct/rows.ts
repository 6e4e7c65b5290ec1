import { createYielder } from '../../base/event-loop.js';
import type { Column } from '../../csv/rows.js';
import { cellEnd, LF } from '../../csv/scan.js';
import { Declined } from './declined.js';
import { instantOf } from './instants.js';

/** Rows in memory at one point in time. Rows appended later do not change it. */
export interface Rows {
  /** Identifies this state of the rows. */
  readonly state: string;
  readonly columns: readonly Column[];
  /** CSV lines; bytes after the end of the last row do not belong to them. */
  readonly body: Buffer;
  /** Row i is `body.subarray(i === 0 ? start : ends[i - 1], ends[i])`. Only the first `count` are rows. */
  readonly ends: Uint32Array;
  readonly count: number;
  /** The time of each row in milliseconds since the epoch, NaN if it has none; null: the dataset has no time column. */
  readonly times: Float64Array | null;
  /** Whether every row has a time, and times never decrease. */
  readonly isInOrder: boolean;
  /** False when only the newest rows are in memory. */
  readonly isWhole: boolean;
}

/** The first row that is not before an instant; rows are in time order. */
export function firstAt({ times, count }: Rows, instant: number): number {
  let before = 0;
  let after = count;
  while (before < after) {
    const middle = (before + after) >> 1;
    if (times![middle]! < instant) before = middle + 1;
    else after = middle;
  }
  return before;
}

/** Bytes indexed between two checks of the clock: a tenth of a millisecond. */
const BYTES_PER_LOOK = 1 << 15;
const FIRST_CAPACITY = 1_024;
/** How much larger than needed a buffer is made when rows are appended. */
const SPARE = 1.25;

let states = 0;

/** The rows of one dataset: bytes, where each row ends, and when it is. Rows can be appended. */
export class IndexedRows {
  readonly columns: readonly Column[];
  readonly #timeIndex: number;
  #state = '';
  #body: Buffer = Buffer.alloc(0);
  #size = 0;
  #ends = new Uint32Array(FIRST_CAPACITY);
  #times: Float64Array | null;
  #count = 0;
  #isInOrder = true;
  #isWhole = true;
  #lastTime: { readonly text: string; readonly instant: number } = { text: '', instant: Number.NaN };

  private constructor(columns: readonly Column[], timeColumn: string | null) {
    this.columns = columns;
    this.#timeIndex = timeColumn === null ? -1 : columns.findIndex(({ name }) => name === timeColumn);
    if (timeColumn !== null && this.#timeIndex === -1) throw new Declined(`no column ${timeColumn}`);
    this.#times = timeColumn === null ? null : new Float64Array(FIRST_CAPACITY);
  }

  /**
   * Indexes CSV lines without a header, which are kept and not copied. Yields to the event loop.
   * Rejects with `Declined` where a row does not fit the columns, or a time is in an unknown form.
   */
  static async of(columns: readonly Column[], timeColumn: string | null, body: Buffer): Promise<IndexedRows> {
    const rows = new IndexedRows(columns, timeColumn);
    rows.#body = body;
    const breathe = createYielder();
    while (rows.#size < body.length) {
      rows.#index(body, rows.#size + BYTES_PER_LOOK);
      await breathe();
    }
    rows.#changed();
    return rows;
  }

  /** The current rows. */
  get now(): Rows {
    return {
      state: this.#state,
      columns: this.columns,
      body: this.#body,
      ends: this.#ends,
      count: this.#count,
      times: this.#times,
      isInOrder: this.#isInOrder,
      isWhole: this.#isWhole,
    };
  }

  /** Bytes of the lines. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of what was added to the lines: where rows end, and when they are. */
  get indexSize(): number {
    return this.#ends.byteLength + (this.#times?.byteLength ?? 0);
  }

  /** Appends CSV lines. Throws `Declined` as `of` does, and must not be used afterwards. */
  append(lines: Buffer): void {
    const size = this.#size + lines.length;
    if (size > this.#body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(size * SPARE));
      this.#body.copy(larger, 0, 0, this.#size);
      this.#body = larger;
    }
    // Holders of an earlier state ignore the bytes after its end.
    lines.copy(this.#body, this.#size);
    this.#index(this.#body.subarray(0, size), size);
    this.#changed();
  }

  /** Drops the oldest rows until at most that many bytes are left. Rows must be in time order. */
  keepLast(bytes: number): void {
    const from = this.#ends.subarray(0, this.#count).findIndex((end) => this.#size - end <= bytes) + 1;
    const start = this.#ends[from - 1]!;
    this.#body = Buffer.from(this.#body.subarray(start, this.#size));
    this.#ends = this.#ends.slice(from, this.#count).map((end) => end - start);
    this.#times = this.#times!.slice(from, this.#count);
    this.#size -= start;
    this.#count -= from;
    this.#isWhole = false;
    this.#changed();
  }

  #changed(): void {
    states += 1;
    this.#state = `rows ${states}`;
  }

  /** Takes up rows until one of them reaches `until`. */
  #index(body: Buffer, until: number): void {
    const end = Math.min(until, body.length);
    while (this.#size < end) {
      let at = this.#size;
      let time = Number.NaN;
      for (let cell = 0; cell < this.columns.length; cell++) {
        const to = cellEnd(body, at);
        const isLast = cell === this.columns.length - 1;
        if (to < 0 || (body[to] === LF) !== isLast) throw new Declined('a row that does not fit its columns');
        if (cell === this.#timeIndex && to > at) time = this.#instantIn(body, at, to);
        at = to + 1;
      }
      this.#add(at, time);
    }
  }

  /** Cached: rows of one poll have the same time, so most times equal that of the previous row. */
  #instantIn(body: Buffer, from: number, to: number): number {
    const text = body.toString('latin1', from, to);
    if (text !== this.#lastTime.text) this.#lastTime = { text, instant: instantOf(text) };
    return this.#lastTime.instant;
  }

  #add(end: number, time: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    this.#ends[this.#count] = end;
    if (this.#times !== null) {
      this.#times[this.#count] = time;
      // NaN is neither before nor after.
      if (!(time >= (this.#count === 0 ? Number.NEGATIVE_INFINITY : this.#times[this.#count - 1]!))) {
        this.#isInOrder = false;
      }
    }
    this.#count += 1;
    this.#size = end;
  }

  #grow(): void {
    const capacity = this.#count * 2;
    const ends = new Uint32Array(capacity);
    ends.set(this.#ends);
    this.#ends = ends;
    if (this.#times === null) return;
    const times = new Float64Array(capacity);
    times.set(this.#times);
    this.#times = times;
  }
}
