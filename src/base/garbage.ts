import type { Session } from 'node:inspector';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Bytes in buffers from which freeing them is worth a collection of the heap, which takes tens of milliseconds. */
const WORTH_COLLECTING = 32 << 20;

let collect: (() => void) | null = null;

/** Bytes in buffers that were no longer used since the last collection. */
let unused = 0;
let isAskedFor = false;

/**
 * Call when that many bytes in buffers are about to be unused: those of this thread are freed once what is running now has
 * returned to the event loop, for until then the stack may refer to them. Only a garbage collection frees a buffer, and V8 lets
 * several tens of megabytes of them gather before it starts one: more than the rows of a large table. Fewer bytes than
 * `worth` wait for more.
 */
export function freeBuffers(bytes: number, worth = WORTH_COLLECTING): void {
  unused += bytes;
  if (unused < worth || isAskedFor) return;
  isAskedFor = true;
  setImmediate(() => {
    isAskedFor = false;
    unused = 0;
    collect ??= findCollector();
    collect();
  });
}

/** More often than two threads find the function at the same moment. */
const ATTEMPTS = 10;

/**
 * Node offers the function only with the flag `--expose-gc`; in a context made after the flag was set it is there. The flag
 * is that of all threads: another one may take it back between the two.
 */
function findCollector(): () => void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('globalThis.gc');
    setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return () => found();
  }
  return () => {};
}

/** Milliseconds without work after which a thread idles. */
const IDLE = 500;
/** Bytes in unused buffers, or by which its heap has grown since it was last shrunk, for which it is worth shrinking. */
const WORTH_SHRINKING = 4 << 20;

let idling: NodeJS.Timeout | null = null;
let session: Session | null = null;
let heapWhenShrunk = 0;

/**
 * Call when a thread has done some work: if no more comes soon, its unused buffers are freed, and its heap gives back what it
 * does not need, a third of it after a table was read. A collection keeps that, for the work to come. V8 collects several
 * times for it, some 20 ms, and only the inspector offers it in all versions of Node:
 * https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/#method-collectGarbage.
 */
export function shrinkWhenIdle(): void {
  idling ??= setTimeout(shrink, IDLE).unref();
  idling.refresh();
}

function shrink(): void {
  if (unused < WORTH_SHRINKING && heapSize() < heapWhenShrunk + WORTH_SHRINKING) return;
  unused = 0;
  session ??= connected();
  session.post('HeapProfiler.collectGarbage', () => {
    heapWhenShrunk = heapSize();
  });
}

function heapSize(): number {
  return getHeapStatistics().total_heap_size;
}

/** Loaded here, because the main thread never needs it. */
function connected(): Session {
  const { Session } = process.getBuiltinModule('node:inspector');
  const opened = new Session();
  opened.connect();
  return opened;
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
