/** Memory of buffers is freed when it is asked for, not when V8 gets round to it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { freeBuffer, freeBuffers } from '../../src/base/garbage.js';

const SIZE = 64 << 20;

function touched(): Buffer {
  return Buffer.alloc(SIZE, 1);
}

test('a buffer that is freed is empty, and its memory is given back', () => {
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 20; round += 1) {
    const buffer = touched();
    freeBuffer(buffer.buffer as ArrayBuffer);
    assert.equal(buffer.length, 0);
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 3 * SIZE, `${grown} bytes`);
});

test('memory that small buffers share is left alone', () => {
  const small = [Buffer.allocUnsafe(100).fill(1), Buffer.concat([Buffer.from('a'), Buffer.from('b')])];
  for (const { buffer } of small) freeBuffer(buffer as ArrayBuffer);
  assert.deepEqual(
    small.map(({ length }) => length),
    [100, 2],
  );
});

/** Resolves when a collection that was asked for now has been made. */
function returned(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

test('buffers that nothing refers to are freed, even those that were in use when that was asked for', async () => {
  let used: Buffer | null = touched();
  const isFreed = new WeakRef(used.buffer);
  freeBuffers(SIZE);
  assert.equal(used.length, SIZE);
  used = null;
  await returned();
  assert.equal(isFreed.deref(), undefined);
});

test('for a few bytes nothing is collected, until there are many of them', async () => {
  const forced: unknown[] = [];
  const isForced = (entry: unknown) =>
    ((entry as { detail: { flags: number } }).detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !==
    0;
  const observer = new PerformanceObserver((list) => forced.push(...list.getEntries().filter(isForced)));
  observer.observe({ entryTypes: ['gc'] });
  for (let times = 1; times < 1024; times += 1) {
    freeBuffers(1024, 1 << 20);
    await returned();
  }
  assert.equal(forced.length, 0);
  freeBuffers(1024, 1 << 20);
  for (let turn = 0; turn < 1000 && forced.length === 0; turn += 1) await returned();
  observer.disconnect();
  assert.equal(forced.length, 1);
});

test('a thread does not fail while others take the flag back that offers the collector', async (t) => {
  const done = new Int32Array(new SharedArrayBuffer(4));
  const other = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage('started');
    while (Atomics.load(workerData, 0) === 0) require('node:v8').setFlagsFromString('--no-expose-gc');`,
    { eval: true, workerData: done },
  );
  t.after(() => Atomics.store(done, 0, 1));
  await once(other, 'message');
  // Each copy of the module looks for it once.
  const thread = new Worker(
    `const { parentPort, workerData: { module, size } } = require('node:worker_threads');
    (async () => {
      for (let copy = 0; copy < 80; copy += 1) {
        const { freeBuffers } = await import(module + '?' + copy);
        freeBuffers(size);
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      }
      parentPort.postMessage('asked');
    })();`,
    {
      eval: true,
      workerData: { module: new URL('../../src/base/garbage.js', import.meta.url).href, size: SIZE },
    },
  );
  assert.deepEqual(await once(thread, 'message'), ['asked']);
});

test('the heap of a thread that idles gives back what it does not need', async () => {
  const thread = new Worker(
    `const { parentPort, workerData: module } = require('node:worker_threads');
    const { getHeapStatistics } = require('node:v8');
    const size = () => getHeapStatistics().total_heap_size;
    (async () => {
      const { shrinkWhenIdle } = await import(module);
      const kept = [];
      for (let index = 0; index < 1_000_000; index += 1) kept.push({ index });
      const grown = size();
      kept.length = 0;
      shrinkWhenIdle();
      for (let turn = 0; turn < 500 && size() > grown / 2; turn += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      parentPort.postMessage({ grown, left: size() });
    })();`,
    { eval: true, workerData: new URL('../../src/base/garbage.js', import.meta.url).href },
  );
  const [{ grown, left }] = await once(thread, 'message');
  assert.ok(left <= grown / 2, `${left} of ${grown} bytes are left`);
});
