/** Runs of rows on their way between threads. */
import type { EncodedRows } from '../../csv/rows.js';
import type { SortedRows } from './sort.js';

/** The buffers of a run, to be transferred instead of copied. */
export function runBuffers({ rows, keys }: SortedRows): ArrayBuffer[] {
  return [rows.body.buffer, rows.ends.buffer, keys.bytes.buffer, keys.ends.buffer] as ArrayBuffer[];
}

/** A `Buffer` arrives from another thread as a mere `Uint8Array`. */
export function withBuffers<T extends { readonly rows: EncodedRows }>(received: T): T {
  return { ...received, rows: asEncodedRows(received.rows) };
}

function asEncodedRows({ columns, body, ends }: EncodedRows): EncodedRows {
  return { columns, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), ends };
}
