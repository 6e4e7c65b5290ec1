import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextIteration } from 'node:timers/promises';
import { abortable } from '../../src/base/abortable.js';
import { freeBuffers } from '../../src/base/garbage.js';

test('who keeps the signal of some work does not keep its result', async () => {
  // The SDK keeps the signal of its first request for good, if there is no file of AWS's configuration.
  const signals: AbortSignal[] = [];
  const result = new WeakRef(
    await abortable(new AbortController(), new AbortController().signal, async (signal) => {
      signals.push(signal);
      return { rows: Buffer.alloc(64 << 20, 1) };
    }),
  );
  freeBuffers(64 << 20);
  for (let turn = 0; turn < 3; turn += 1) await nextIteration();
  assert.equal(result.deref(), undefined);
  assert.equal(signals[0]!.aborted, false);
});

test('work that ignores its signal is not waited for', async () => {
  const outer = new AbortController();
  const never = abortable(new AbortController(), outer.signal, () => new Promise<never>(() => {}));
  outer.abort(new Error('the service ends'));
  await assert.rejects(never, /the service ends/);
});

test('work is not begun with a signal that has aborted', async () => {
  const reason = new Error('the service ends');
  const begun = abortable(new AbortController(), AbortSignal.abort(reason), async () => 'begun');
  await assert.rejects(begun, reason);
});
