import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseEncoding } from '../../src/http/answers/accept-encoding.js';
import { ByteCache } from '../../src/http/answers/byte-cache.js';
import { PlainAnswers } from '../../src/http/answers/plain-answers.js';
import { WindowAnswers } from '../../src/http/answers/window-answers.js';
import { COUNTS, createWorld, pieces, START } from './world.js';

test('the cache stays within its bytes, and the least recently used go first', () => {
  const cache = new ByteCache<string>(10_000);
  for (const key of ['a', 'b', 'c']) cache.set(key, key, 2_000);
  assert.equal(cache.get('a'), 'a');
  cache.set('d', 'd', 2_000);
  assert.equal(cache.get('b'), undefined);
  assert.deepEqual(
    ['a', 'c', 'd'].map((key) => cache.get(key)),
    ['a', 'c', 'd'],
  );
  cache.grow('d', 'd', 3_000);
  assert.equal(cache.get('a'), undefined);
  assert.ok(cache.bytes <= 10_000);
  cache.set('huge', 'huge', 20_000);
  assert.equal(cache.get('huge'), undefined);
  assert.equal(cache.get('d'), 'd');
  cache.set('d', 'new', 100);
  cache.grow('d', 'd', 9_000);
  assert.equal(cache.get('d'), 'new');
  for (const key of ['a', 'b', 'c', 'd']) cache.delete(key);
  assert.equal(cache.bytes, 0);
});

test('plain datasets are bounded, whatever shapes are asked for, and encodings count', async (t) => {
  const world = await createWorld(t);
  const table = await world.table('flags');
  await table.poll(
    COUNTS,
    Array.from({ length: 300 }, (_, index) => [`${index}`.padStart(6, '0'), null]),
  );
  const [dataset] = table.datasets;
  const limit = 60_000;
  const answers = new PlainAnswers(limit);
  for (let text = 0; text < 100; text += 1) {
    const { representation } = await answers.make(dataset!, { nullText: `text ${text}` });
    const before = answers.bytes;
    const { bytes } = await representation.variant('gzip');
    assert.ok(answers.bytes <= limit);
    if (text === 0) assert.equal(answers.bytes, before + bytes.length);
  }
  assert.equal(answers.kept(dataset!, { nullText: 'text 0' }, START), undefined);
  assert.ok(answers.kept(dataset!, { nullText: 'text 99' }, START) !== undefined);
});

test('windows with ever new bounds are bounded too, in a cache of their own', async (t) => {
  const world = await createWorld(t);
  const clock = { now: () => START, sleep: async () => undefined };
  const limit = 50_000;
  const answers = new WindowAnswers(clock, limit);
  world.queries.answer = () => pieces('x'.repeat(4_000));
  const table = await world.table('flags');
  const gone = new AbortController().signal;
  for (let bound = 0; bound < 50; bound += 1) {
    const query = await world.queries.window(table.datasets[0]!, [['from', `${bound}`]]);
    assert.equal(answers.kept(query), undefined);
    await answers.compute(query, gone);
    assert.ok(answers.kept(query) !== undefined);
    assert.ok(answers.bytes <= limit);
  }
});

test('the encoding is chosen by weight, then by size', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br; q=0, gzip', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.5, identity', 'identity'],
    ['identity;q=0.2, gzip;q=0.2', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *;q=0.3', 'gzip'],
    ['identity, *;q=0', 'identity'],
    ['identity;q=0, *;q=0', 'identity'],
    ['deflate, zstd', 'identity'],
    ['gzip;q=nonsense', 'identity'],
  ];
  for (const [header, expected] of cases) assert.equal(chooseEncoding(header), expected, header);
});
