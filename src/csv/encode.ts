import type { Cell, Column, EncodedRows } from './rows.js';
import { Offsets } from './scan.js';

/*
 * Cells to CSV by RFC 4180: `,` between cells, `\n` after each row, UTF-8. A cell is quoted only when it holds the
 * delimiter, a quote, CR or LF, or when it is the empty string (`""`, because nothing at all means absent).
 * Spaces, U+2028, NUL and so on are written unchanged.
 *
 * This is not `csv-stringify`, because changes and whole responses go through it: it takes a fifth of that library's
 * time. `csv-stringify` is the reference instead: test/csv/encode.test.ts compares the bytes.
 *
 * One rule beyond the RFC: a row with a single column and no value would be an empty line, which readers drop. It is
 * written as `""`, as Python's `csv` does, so that the row is kept.
 */

const NEEDS_QUOTES = /[",\n\r]/;

/** The text of one cell; `delimiter` is one character. */
export function encodeCell(cell: Cell, delimiter = ','): string {
  if (cell === null) return '';
  if (cell === '') return '""';
  const quoted = NEEDS_QUOTES.test(cell) || (delimiter !== ',' && cell.includes(delimiter));
  return quoted ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** One row with its `\n`. */
export function encodeRow(cells: readonly Cell[]): string {
  if (cells.length === 1 && cells[0] === null) return '""\n';
  let row = '';
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (i > 0) row += ',';
    if (cell === null) continue;
    row += cell === '' || NEEDS_QUOTES.test(cell) ? encodeCell(cell) : cell;
  }
  return `${row}\n`;
}

/** The header line with its `\n`. A first name that begins with U+FEFF is quoted, so that it is not taken for a BOM. */
export function encodeHeader(columns: readonly Column[], delimiter = ','): Buffer {
  const names = columns.map(({ name }, index) =>
    index === 0 && name.startsWith('\uFEFF')
      ? `"${name.replaceAll('"', '""')}"`
      : encodeCell(name, delimiter),
  );
  return Buffer.from(`${names.join(delimiter)}\n`);
}

/** Every row has a cell for each column, in the columns' order. */
export function encodeRows(columns: readonly Column[], rows: Iterable<readonly Cell[]>): EncodedRows {
  const builder = new RowsBuilder(columns);
  for (const row of rows) builder.add(encodeRow(row));
  return builder.finish();
}

/** Header line and rows as one buffer; nothing is copied if the header precedes the rows in memory (`bodyBehindHeader`). */
export function encodeFile({ columns, body }: EncodedRows): Buffer {
  const header = encodeHeader(columns);
  if (body.byteOffset === header.length) {
    const file = Buffer.from(body.buffer, 0, header.length + body.length);
    if (header.equals(file.subarray(0, header.length))) return file;
  }
  return Buffer.concat([header, body]);
}

/** Whether both are the same memory. Rows are never changed in place, so their content is equal too. */
export function isSameMemory(a: Buffer, b: Buffer): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
}

/** A buffer for that many bytes of rows, with their header right before it, so that rows and file share memory. */
export function bodyBehindHeader(columns: readonly Column[], bytes: number): Buffer {
  const header = encodeHeader(columns);
  const file = Buffer.allocUnsafeSlow(header.length + bytes);
  header.copy(file);
  return file.subarray(header.length);
}

/** No rows under these columns. */
export function noRows(columns: readonly Column[]): EncodedRows {
  return { columns, body: Buffer.alloc(0), ends: new Uint32Array(0) };
}

/** Characters converted to bytes at a time: enough to make a call worthwhile, few enough to stay in the cache. */
const CHUNK_CHARACTERS = 1 << 16;

/** Collects rows as text and converts them to bytes in batches, which is several times faster than one by one. */
export class RowsBuilder {
  readonly #columns: readonly Column[];
  readonly #chunks: Buffer[] = [];
  readonly #ends = new Offsets();
  #pending: string[] = [];
  #pendingCharacters = 0;
  #size = 0;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
  }

  /** `row` is one encoded row with its `\n` (see `encodeRow`). */
  add(row: string): void {
    this.#pending.push(row);
    this.#pendingCharacters += row.length;
    if (this.#pendingCharacters >= CHUNK_CHARACTERS) this.#flush();
  }

  finish(): EncodedRows {
    this.#flush();
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#size);
    return { columns: this.#columns, body, ends: this.#ends.toArray() };
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const chunk = Buffer.from(this.#pending.join(''));
    // As many bytes as characters: all ASCII, so the rows' lengths in bytes are known already.
    const ascii = chunk.length === this.#pendingCharacters;
    for (const row of this.#pending) {
      this.#size += ascii ? row.length : Buffer.byteLength(row);
      this.#ends.push(this.#size);
    }
    this.#chunks.push(chunk);
    this.#pending = [];
    this.#pendingCharacters = 0;
  }
}
