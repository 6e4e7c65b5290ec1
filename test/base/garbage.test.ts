/** Memory of buffers is freed when it is asked for, not when V8 gets round to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('buffers that nothing refers to are freed', () => {
  const isFreed = new WeakRef(touched().buffer);
  return new Promise<void>((resolve) => {
    setImmediate(() => {
      freeBuffers(SIZE);
      assert.equal(isFreed.deref(), undefined);
      resolve();
    });
  });
});

test('for a few bytes nothing is collected', () => {
  const stays = new WeakRef(Buffer.allocUnsafeSlow(1024).buffer);
  return new Promise<void>((resolve) => {
    setImmediate(() => {
      freeBuffers(1024);
      assert.notEqual(stays.deref(), undefined);
      resolve();
    });
  });
});
