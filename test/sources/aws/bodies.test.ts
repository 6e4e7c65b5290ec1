/** Bodies of responses are received into memory that earlier ones had. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { AnswerTooLarge, collectAtMost, pageMemory } from '../../../src/sources/aws/receiving.js';

const LIMIT = 1_000_000;
const collect = collectAtMost(LIMIT);

/** A response that announces its length, or does not. */
function response(length: number | null) {
  const headers = length === null ? {} : { 'content-length': String(length) };
  return Object.assign(new PassThrough(), { headers });
}

describe('a body', () => {
  for (const [what, announced] of [
    ['with its length', 300_000],
    ['without a length', null],
    ['longer than announced', 100_000],
    ['shorter than announced', 600_000],
  ] as const) {
    test(`${what} is received as it is`, async () => {
      const body = response(announced);
      const sent = randomBytes(300_000);
      const found = collect(body);
      for (let at = 0; at < sent.length; at += 70_000) body.write(sent.subarray(at, at + 70_000));
      body.end();
      assert.ok(sent.equals(await found));
    });
  }

  test('beyond the limit is an error, whatever it announces', async () => {
    const body = response(10);
    const found = collect(body);
    body.end(randomBytes(LIMIT + 1));
    await assert.rejects(found, AnswerTooLarge);
    assert.ok(body.destroyed);
  });

  test('that ends early is an error', async () => {
    const body = response(200_000);
    const found = collect(body);
    body.write(randomBytes(100_000));
    body.destroy();
    await assert.rejects(found, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });
});

test('bodies that are received together, or kept, do not share memory', async () => {
  const sent = Array.from({ length: 4 }, () => randomBytes(200_000));
  const bodies = sent.map(() => response(200_000));
  const found = bodies.map(collect);
  for (const [from, to] of [
    [0, 50_000],
    [50_000, 200_000],
  ]) {
    for (const [index, body] of bodies.entries()) body.write(sent[index]!.subarray(from, to));
  }
  for (const body of bodies) body.end();
  const received = await Promise.all(found);
  for (const [index, body] of received.entries()) assert.ok(sent[index]!.equals(body), `body ${index}`);
  pageMemory.give(received[0]!);
  const next = response(200_000);
  const again = collect(next);
  next.end(randomBytes(200_000));
  assert.equal((await again).buffer, received[0]!.buffer);
  assert.ok(sent.slice(1).every((bytes, index) => bytes.equals(received[index + 1]!)));
});

test('memory that is given back twice is not used twice', () => {
  const memory = pageMemory.take(100_000);
  pageMemory.give(memory);
  pageMemory.give(memory);
  assert.notEqual(pageMemory.take(100_000).buffer, pageMemory.take(100_000).buffer);
});
