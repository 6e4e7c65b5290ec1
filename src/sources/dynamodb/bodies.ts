import { finished } from 'node:stream/promises';
import { announcedLength, type Body, receiveBody } from '../aws/receiving.js';

/*
 * Receiving responses. A poll of a large table receives one page of a megabyte after another. Each is copied to memory that an
 * earlier page had, so that receiving creates no garbage.
 */

/** Bytes from which a body's memory is worth keeping. */
const WORTH_KEEPING = 1 << 16;

/** Memory of bodies, one per thread: taken for a body, and given back by whoever is done with it. */
class PageMemory {
  readonly #free: Buffer[] = [];
  /** What may be given back. Memory that nobody gives back is garbage like any other. */
  readonly #taken = new WeakMap<ArrayBufferLike, Buffer>();

  /** At least that many bytes, with any content. */
  take(size: number): Buffer {
    if (size < WORTH_KEEPING) return Buffer.allocUnsafeSlow(size);
    const index = this.#free.findIndex(({ length }) => length >= size);
    const memory = index < 0 ? Buffer.allocUnsafeSlow(rounded(size)) : this.#free.splice(index, 1)[0]!;
    this.#taken.set(memory.buffer, memory);
    return memory;
  }

  /** The caller must not read these bytes, nor any view of their memory, afterwards. Bytes from elsewhere are ignored. */
  give({ buffer }: Uint8Array): void {
    const memory = this.#taken.get(buffer);
    if (memory === undefined) return;
    this.#taken.delete(buffer);
    this.#free.push(memory);
  }

  /** Leaves what is not in use to the garbage collection. */
  clear(): void {
    this.#free.length = 0;
  }
}

/** Pages differ in size a little. */
function rounded(size: number): number {
  return Math.ceil((size * 1.05) / WORTH_KEEPING) * WORTH_KEEPING;
}

export const pageMemory = new PageMemory();

/** Thrown while receiving a body that is larger than allowed; the connection is closed. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Collects a response's body for the SDK (its `streamCollector`). Rejects with `AnswerTooLarge` beyond `limit` bytes. */
export function collectAtMost(limit: number): (body: Body) => Promise<Uint8Array> {
  return async (body) => {
    let memory = pageMemory.take(Math.min(limit, announcedLength(body)));
    let size = 0;
    receiveBody(body, (bytes) => {
      const end = size + bytes.length;
      if (end > limit) {
        body.destroy(new AnswerTooLarge(`an answer has more than ${limit} bytes`));
        return;
      }
      if (end > memory.length) memory = grown(memory, size, end);
      memory.set(bytes, size);
      size = end;
    });
    await finished(body);
    return memory.subarray(0, size);
  };
}

function grown(memory: Buffer, size: number, needed: number): Buffer {
  const larger = pageMemory.take(Math.max(needed, 2 * memory.length));
  memory.copy(larger, 0, 0, size);
  pageMemory.give(memory);
  return larger;
}
