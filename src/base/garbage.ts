import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Bytes in buffers from which freeing them is worth a collection of the heap, which takes tens of milliseconds. */
const WORTH_COLLECTING = 32 << 20;

let collect: (() => void) | null = null;

/**
 * Call when that many bytes in buffers are no longer used. Only a garbage collection frees a buffer, and V8 lets several tens of
 * megabytes of them gather before it starts one: more than the rows of a large table.
 */
export function freeBuffers(bytes: number): void {
  if (bytes < WORTH_COLLECTING) return;
  collect ??= findCollector();
  collect();
}

/** Node offers the function only with the flag `--expose-gc`; in a context made after the flag was set it is there. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? () => found() : () => {};
}

/** Up to this size freeing a buffer is not worth the call. */
const SMALL = 1 << 16;

let nowhere: MessagePort | null = null;

/**
 * Frees a buffer that nobody else uses now, without a collection: what is transferred to a closed port belongs to nobody. Its
 * views become empty. Small buffers, memory that Node shares out among small ones, and what was freed or transferred already are
 * left alone.
 */
export function freeBuffer(buffer: ArrayBuffer): void {
  // Shared memory is `Buffer.poolSize` bytes: 8 KB in Node 20, 64 KB in Node 24, which refuses to transfer it.
  if (buffer.byteLength <= Math.max(SMALL, Buffer.poolSize)) return;
  if (nowhere === null) {
    nowhere = new MessageChannel().port1;
    nowhere.close();
  }
  nowhere.postMessage(null, [buffer]);
}
