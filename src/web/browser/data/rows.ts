const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** A cell's text; null if it is absent (in CSV an empty text is `""`, an absent value nothing). */
export type Cell = string | null;

/**
 * The rows of a CSV, kept as bytes with the offset of each row. A cell becomes text only when it is accessed: 200,000 rows
 * cost their bytes and one number each.
 */
export class CsvRows {
  #bytes = new Uint8Array(1 << 16);
  #size = 0;
  /** Ends of lines, the header's first. */
  #ends = new Uint32Array(1 << 10);
  #lines = 0;
  #quoted = false;
  #header: readonly string[] | null = null;
  readonly #decoder = new TextDecoder();

  /** Empty while the first line is not complete. */
  get header(): readonly string[] {
    if (this.#header === null && this.#lines > 0) {
      this.#header = splitLine(this.#line(0)).map((cell) => cell ?? '');
    }
    return this.#header ?? [];
  }

  get count(): number {
    return Math.max(0, this.#lines - 1);
  }

  get bytes(): number {
    return this.#size;
  }

  /** Adds the next bytes, in chunks of any size. */
  push(chunk: Uint8Array): void {
    this.#reserve(this.#size + chunk.length);
    this.#bytes.set(chunk, this.#size);
    for (let i = 0; i < chunk.length; i += 1) {
      const byte = chunk[i];
      if (byte === QUOTE) this.#quoted = !this.#quoted;
      else if (byte === NEWLINE && !this.#quoted) this.#endLine(this.#size + i);
    }
    this.#size += chunk.length;
  }

  row(index: number): readonly Cell[] {
    return splitLine(this.#line(index + 1));
  }

  #line(index: number): string {
    const start = index === 0 ? 0 : this.#ends[index - 1]! + 1;
    return this.#decoder.decode(this.#bytes.subarray(start, this.#ends[index]));
  }

  #endLine(at: number): void {
    if (this.#lines === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2);
      ends.set(this.#ends);
      this.#ends = ends;
    }
    this.#ends[this.#lines] = at;
    this.#lines += 1;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = bytes;
  }
}

function splitLine(line: string): Cell[] {
  if (!line.includes('"')) return line.split(',').map((text) => (text === '' ? null : text));
  const cells: Cell[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      let end = at + 1;
      while (end < line.length && !(line[end] === '"' && line[end + 1] !== '"')) {
        end += line[end] === '"' ? 2 : 1;
      }
      cells.push(line.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 2;
    } else {
      const comma = line.indexOf(',', at);
      const end = comma === -1 ? line.length : comma;
      cells.push(end === at ? null : line.slice(at, end));
      at = end + 1;
    }
  }
  return cells;
}
