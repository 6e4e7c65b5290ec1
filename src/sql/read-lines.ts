import { type DuckDBDataChunk, type DuckDBResult, DuckDBVarCharVector } from '@duckdb/node-api';
import { getStringBytes } from '@duckdb/node-api/lib/vectors/dataAccessors.js';
import { createYielder } from '../base/event-loop.js';
import { answerIncomplete } from './errors.js';

/** Bytes yielded at a time: enough to make a write worthwhile, few enough to copy quickly. */
const PIECE = 1 << 18;

/**
 * The texts of the streamed result of `compileLines`, concatenated. Yields pieces of about 256 KB (a single longer text
 * whole), reads the next chunk only on demand, and yields to the event loop. Rejects with the signal's reason between
 * two chunks, and with `ANSWER_INCOMPLETE` if the result ends without its end mark: a streamed query that fails or is
 * interrupted ends like a complete one, and the package does not report why.
 *
 * A chunk has up to 2048 texts. `getItem` would call into the addon and decode each one; DuckDB stores the texts of a
 * chunk contiguously, so a whole run of them is copied by one call, which is ten times faster.
 */
export async function* readLines(
  result: DuckDBResult,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const giveWay = createYielder();
  let pieces: Uint8Array[] = [];
  let size = 0;
  const take = () => {
    const piece = Buffer.concat(pieces, size);
    pieces = [];
    size = 0;
    return piece;
  };
  for (let isComplete = false; !isComplete; ) {
    const chunk = await result.fetchChunk();
    signal.throwIfAborted();
    if (chunk === null || chunk.rowCount === 0) throw answerIncomplete();
    const vector = stringsOf(chunk);
    isComplete = vector.getItem(chunk.rowCount - 1) === null;
    for (const run of runsOf(vector, isComplete ? chunk.rowCount - 1 : chunk.rowCount)) {
      pieces.push(run);
      size += run.length;
      if (size < PIECE) continue;
      yield take();
      await giveWay();
    }
    await giveWay();
  }
  if (size > 0) yield take();
}

/**
 * Bytes of one entry of a string vector: its length, then the text itself up to 12 bytes, else 4 bytes of it and a
 * pointer (`duckdb_string_t` in https://github.com/duckdb/duckdb/blob/main/src/include/duckdb.h).
 */
const ENTRY = 16;
const INLINE = 12;
const POINTER_AT = 8;

/** Copies of the first texts as bytes; texts that are adjacent in memory are one piece of about `PIECE`. */
function* runsOf(vector: DuckDBVarCharVector, count: number): Generator<Uint8Array, void, undefined> {
  // The memory of the entries is private in the package; TypeScript allows access in brackets.
  // biome-ignore lint/complexity/useLiteralKeys: see above
  const entries = vector['dataView'];
  for (let row = 0; row < count; ) {
    const first = row * ENTRY;
    const start = entries.getBigUint64(first + POINTER_AT, true);
    let length = entries.getUint32(first, true);
    row++;
    // Within a run there are no gaps: each text begins where the previous one ends.
    while (length > INLINE && length < PIECE && row < count) {
      const next = entries.getUint32(row * ENTRY, true);
      if (next <= INLINE || entries.getBigUint64(row * ENTRY + POINTER_AT, true) !== start + BigInt(length))
        break;
      length += next;
      row++;
    }
    yield bytesOf(entries, first, length);
  }
}

/** A copy of the `length` bytes of the text of the entry at `at`. */
function bytesOf(entries: DataView, at: number, length: number): Uint8Array {
  const entry = new DataView(new ArrayBuffer(ENTRY));
  for (let i = 0; i < ENTRY; i += 4) entry.setUint32(i, entries.getUint32(at + i));
  entry.setUint32(0, length, true);
  return getStringBytes(entry, 0);
}

/**
 * The text at a row, or null. The package's own `getItem` takes a U+FEFF at the beginning of a text for a byte order mark
 * and drops it; in a cell it is an ordinary character.
 */
export function textAt(vector: DuckDBVarCharVector, row: number): string | null {
  if (vector.getItem(row) === null) return null;
  // biome-ignore lint/complexity/useLiteralKeys: see `runsOf`
  const entries = vector['dataView'];
  return Buffer.from(bytesOf(entries, row * ENTRY, entries.getUint32(row * ENTRY, true))).toString();
}

function stringsOf(chunk: DuckDBDataChunk): DuckDBVarCharVector {
  const vector = chunk.getColumnVector(0);
  if (vector instanceof DuckDBVarCharVector) return vector;
  throw new TypeError('the lines of a result stand in one VARCHAR column');
}
