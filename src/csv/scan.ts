/** The bytes that CSV is made of. */
export const COMMA = 0x2c;
export const QUOTE = 0x22;
export const LF = 0x0a;
export const CR = 0x0d;

/**
 * Bytes that a loop may scan before it yields to the event loop: one to three milliseconds, so that
 * even a machine ten times slower answers `/healthz` within 50 ms.
 */
export const BYTES_PER_SLICE = 1 << 20;

/**
 * Where the cell that starts at `at` ends: the index of the `,` or `\n` after it, or -1 if the bytes end first.
 * A quote opens a quoted cell only as its first byte; inside one, `""` is a quote. Anywhere else a quote is an ordinary
 * character, as in Python's `csv` and most readers.
 */
export function cellEnd(bytes: Uint8Array, at: number): number {
  const length = bytes.length;
  let i = at;
  if (i < length && bytes[i] === QUOTE) {
    i++;
    for (;;) {
      while (i < length && bytes[i] !== QUOTE) i++;
      if (i + 1 < length && bytes[i + 1] === QUOTE) i += 2;
      else break;
    }
    i++;
  }
  while (i < length) {
    const byte = bytes[i];
    if (byte === COMMA || byte === LF) return i;
    i++;
  }
  return -1;
}

/** Where the row that starts at `at` ends: the index after its `\n`, or -1 if the bytes end within the row. */
export function rowEnd(bytes: Uint8Array, at: number): number {
  for (let i = at; ; i++) {
    i = cellEnd(bytes, i);
    if (i < 0) return -1;
    if (bytes[i] === LF) return i + 1;
  }
}

/** Offsets of the parts of one row. */
export interface RowPlace {
  /** After its `\n`, or after the last byte. */
  readonly end: number;
  /** After its last cell: before `\n`, `\r\n` or (Windows text mode on top of CRLF) `\r\r\n`. */
  readonly contentEnd: number;
  readonly cells: number;
  /** Where the last cell starts. */
  readonly lastCell: number;
}

/** The row that starts at `at`, with or without a line end, or null if it has an unclosed quote. */
export function placeRow(bytes: Uint8Array, at: number): RowPlace | null {
  let cells = 0;
  let lastCell = at;
  let end = at - 1;
  do {
    lastCell = end + 1;
    end = cellEnd(bytes, lastCell);
    cells++;
  } while (end >= 0 && bytes[end] === COMMA);
  if (end < 0) {
    const open = bytes[lastCell] === QUOTE && !closesQuote(bytes, lastCell);
    return open ? null : { end: bytes.length, contentEnd: bytes.length, cells, lastCell };
  }
  let contentEnd = end;
  while (contentEnd > at && bytes[contentEnd - 1] === CR) contentEnd--;
  return { end: end + 1, contentEnd, cells, lastCell };
}

/** Whether the quoted cell at `at`, the bytes' last, has its closing quote. */
function closesQuote(bytes: Uint8Array, at: number): boolean {
  for (let i = at + 1; i < bytes.length; i++) {
    if (bytes[i] !== QUOTE) continue;
    if (bytes[i + 1] !== QUOTE) return true;
    i++;
  }
  return false;
}

/** Converts offsets, given in ascending order, to line numbers from 1. */
export class LineCounter {
  readonly #bytes: Buffer;
  #line = 1;
  #lineEnd: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#lineEnd = bytes.indexOf(LF);
  }

  lineAt(offset: number): number {
    while (this.#lineEnd >= 0 && this.#lineEnd < offset) {
      this.#line++;
      this.#lineEnd = this.#bytes.indexOf(LF, this.#lineEnd + 1);
    }
    return this.#line;
  }
}

/** A growing list of offsets without a boxed number for each. */
export class Offsets {
  #values: Uint32Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#values = new Uint32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Uint32Array(Math.max(16, this.#values.length * 2));
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  /** The offsets so far, in an array of exactly that size. */
  toArray(): Uint32Array {
    return this.#values.slice(0, this.#length);
  }
}

enum State {
  CellStart,
  Plain,
  Quoted,
  /** After a quote inside quotes: the first of two, or the closing one. */
  QuoteInQuoted,
}

/** Finds row ends in bytes that come in pieces; the rules are those of `cellEnd`. */
export class RowScanner {
  #state = State.CellStart;

  /** Takes the next piece; calls `onRow` with the index after each `\n` that ends a row. */
  push(piece: Uint8Array, onRow: (end: number) => void): void {
    let state = this.#state;
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!;
      if (state === State.Quoted) {
        if (byte === QUOTE) state = State.QuoteInQuoted;
      } else if (byte === QUOTE && state !== State.Plain) {
        state = State.Quoted;
      } else if (byte === LF) {
        state = State.CellStart;
        onRow(i + 1);
      } else {
        state = byte === COMMA ? State.CellStart : State.Plain;
      }
    }
    this.#state = state;
  }
}
