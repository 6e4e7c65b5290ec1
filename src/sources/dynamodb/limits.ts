import { totalmem } from 'node:os';
import type { Readable } from 'node:stream';
import { tableTooLarge } from './errors.js';

/**
 * Maximum bytes of one response. DynamoDB sends at most 1 MB of items in a page, by its own count
 * (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html). As JSON a byte of that count
 * becomes ten at most: an empty string in a list counts one byte and is written `{"S":""},`.
 */
export const MAX_ANSWER_BYTES = 16 << 20;

/** What a page costs in memory in addition to its rows: its key is remembered to detect repeating pages. */
const PAGE_OVERHEAD = 256;

/** Thrown while receiving a body that is larger than allowed; the connection is closed. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Collects a response's body for the SDK (its `streamCollector`). Rejects with `AnswerTooLarge` beyond `limit` bytes. */
export function collectAtMost(limit: number): (body: Readable) => Promise<Uint8Array> {
  return async (body) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // Leaving the loop early destroys the stream and its connection.
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw new AnswerTooLarge(`an answer has more than ${limit} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  };
}

/** Bytes of pages that one poll may read by default: a quarter of the memory that this process may use. */
export function defaultPollBytes(): number {
  // 0 if nothing constrains the process.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(constrained, totalmem()) / 4);
}

/** The bytes that one poll may read, shared by all its threads; plain data. */
export interface ByteBudget {
  readonly limit: number;
  /** One 64-bit integer: bytes read so far. */
  readonly used: SharedArrayBuffer;
}

export function byteBudget(limit: number): ByteBudget {
  return { limit, used: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) };
}

/** Counts a page. Throws `tableTooLarge` if the poll has exceeded the limit. */
export function spend({ limit, used }: ByteBudget, pageBytes: number, table: string): void {
  const bytes = BigInt(pageBytes + PAGE_OVERHEAD);
  const total = Atomics.add(new BigInt64Array(used), 0, bytes) + bytes;
  if (total > limit) throw tableTooLarge(table, limit);
}
