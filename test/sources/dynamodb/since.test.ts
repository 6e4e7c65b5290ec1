/**
 * `since`: only new items are read. What a user relies on, against dynalite, and, imported by
 * `reading-less-on-moto.slow.test.ts`, against moto.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { itemsOf, pageOfItems } from '../../../src/sources/dynamodb/page.js';
import { MAX_SEEN, NewItems, newTail } from '../../../src/sources/dynamodb/query/since.js';
import { chosenEmulator } from '../../support/dynalite.js';
import { useEvents } from '../../support/events.js';
import { logLines } from '../../support/log-lines.js';

const events = useEvents(chosenEmulator);
const { create, put, follow } = events;

const signal = new AbortController().signal;

describe('new items', () => {
  test('are read once each: those of the day first, then only what is newer than the newest', async () => {
    const table = await create();
    await put(
      table,
      ['a', '2026-11-24T09:00:00Z'],
      ['b', '2026-11-24T08:00:00Z'],
      ['old', '2026-11-23T08:00:00Z'],
    );
    const follower = follow(table, '2026-11-24T09:30:00Z');
    assert.deepEqual(await follower.next(), ['a', 'b']);
    assert.deepEqual(await follower.next(), []);
    await put(table, ['c', '2026-11-24T09:31:00Z'], ['d', '2026-11-24T09:31:00Z']);
    assert.deepEqual(await follower.next(), ['c', 'd']);
    // Of the same instant as the newest one.
    await put(table, ['e', '2026-11-24T09:31:00Z']);
    assert.deepEqual(await follower.next(), ['e']);
    assert.deepEqual(await follower.next(), []);
  });

  test('one that appears late is found within the overlap, and missed beyond it', async () => {
    const table = await create();
    const follower = follow(table, '2026-11-24T09:30:00Z');
    await put(table, ['a', '2026-11-24T09:20:00.500Z']);
    await follower.next();
    await put(table, ['late', '2026-11-24T09:19:01Z'], ['too-late', '2026-11-24T09:18:00Z']);
    assert.deepEqual(await follower.next(), ['late']);
    assert.deepEqual(await follower.next(), []);
  });

  test('one whose clock is ahead does not hide those that come after it', async () => {
    const table = await create();
    const follower = follow(table, '2026-11-24T09:30:00Z');
    await put(table, ['future', '2026-11-24T23:00:00Z'], ['a', '2026-11-24T09:29:00Z']);
    assert.deepEqual(await follower.next(), ['a', 'future']);
    await put(table, ['b', '2026-11-24T09:30:00Z']);
    follower.clock.advance(30_000);
    assert.deepEqual(await follower.next(), ['b']);
    assert.deepEqual(await follower.next(), []);
  });

  test('an item that is removed and comes back unchanged is not read again; one that moves on is', async () => {
    const table = await create();
    const follower = follow(table, '2026-11-24T09:30:00Z');
    await put(table, ['a', '2026-11-24T09:29:00Z'], ['b', '2026-11-24T09:29:30Z']);
    await follower.next();
    await put(table, ['a', '2026-11-24T09:29:00Z', 'hidden']);
    assert.deepEqual(await follower.next(), []);
    await put(table, ['a', '2026-11-24T09:29:00Z']);
    assert.deepEqual(await follower.next(), []);
    follower.clock.advance(300_000);
    await put(table, ['c', '2026-11-24T09:34:00Z']);
    assert.deepEqual(await follower.next(), ['c']);
    await put(table, ['a', '2026-11-24T09:35:00Z']);
    assert.deepEqual(await follower.next(), ['a']);
  });

  test('sort keys in seconds, milliseconds and microseconds overlap as times do', async () => {
    const second = Date.parse('2026-11-24T09:20:00Z') / 1_000;
    for (const unit of [1, 1_000, 1_000_000]) {
      const table = await create('N');
      const day = '2026-11-24';
      const time = (seconds: number): AttributeValue => ({ N: String((second + seconds) * unit) });
      const follower = follow(table, '2026-11-24T09:30:00Z');
      await put(table, ['a', time(0), day]);
      assert.deepEqual(await follower.next(), ['a'], String(unit));
      await put(table, ['late', time(-59), day], ['too-late', time(-61), day], ['b', time(1), day]);
      assert.deepEqual(await follower.next(), ['b', 'late'], String(unit));
    }
  });

  test('sort keys that are no times grow all the same, numbers by value; that overlap cannot work is logged', async () => {
    for (const [type, of] of [
      ['N', (n: number): AttributeValue => ({ N: String(n) })],
      ['B', (n: number): AttributeValue => ({ B: Buffer.from([n]) })],
    ] as const) {
      const table = await create(type);
      const { logger, lines } = logLines('warn');
      const follower = follow(table, '2026-11-24T09:30:00Z', { logger });
      await put(table, ['a', of(9), '2026-11-24']);
      assert.deepEqual(await follower.next(), ['a']);
      await put(
        table,
        ['b', of(10), '2026-11-24'],
        ['late', of(8), '2026-11-24'],
        ['same', of(9), '2026-11-24'],
      );
      assert.deepEqual(await follower.next(), ['b', 'same']);
      assert.deepEqual(await follower.next(), []);
      assert.equal(lines.length, 1);
      assert.match(lines[0]!.msg, /is not a time, so overlap has no effect/);
    }
  });

  test('only what the overlap holds is read again, not the day', async () => {
    const table = await create();
    const note = { S: 'x'.repeat(4_000) };
    await events.world.dynamoDb.put(
      table,
      Array.from({ length: 40 }, (_, n) => ({
        id: { S: `e${n}` },
        day: { S: '2026-11-24' },
        at: { S: `2026-11-24T08:${String(n).padStart(2, '0')}:00Z` },
        note,
      })),
    );
    const follower = follow(table, '2026-11-24T09:30:00Z', { only: ['id'] });
    const first = await follower.source.read({ known: [], signal });
    const second = await follower.source.read({ known: [], position: first.position, signal });
    assert.equal(first.rows.ends.length, 40);
    // moto counts every Query as one unit.
    const isCounted = events.world.dynamoDb.emulator === 'dynalite';
    if (isCounted) assert.ok(first.cost.readCapacityUnits >= 20, String(first.cost.readCapacityUnits));
    assert.ok(second.cost.bytes < first.cost.bytes / 10, `${second.cost.bytes} bytes`);
    assert.ok(second.cost.readCapacityUnits <= 1.5, String(second.cost.readCapacityUnits));
    assert.deepEqual(
      first.rows.columns.map(({ name }) => name),
      ['id'],
    );
  });

  test('a first reading that is large is handed to threads, and goes on where it ended', async () => {
    const table = await create();
    const note = { S: 'x'.repeat(60_000) };
    const event = (n: number) => ({
      id: { S: `e${n}` },
      day: { S: '2026-11-24' },
      at: { S: `2026-11-24T08:00:${String(n).padStart(2, '0')}Z` },
      note,
    });
    for (let n = 0; n < 60; n++) await events.world.dynamoDb.put(table, [event(n)]);
    const follower = follow(table, '2026-11-24T09:30:00Z', {}, 30_000);
    assert.equal((await follower.next()).length, 60);
    // moto has everything in one page, and dynoxide's few pages may be read before the threads are there.
    if (['dynalite', 'stand-in'].includes(chosenEmulator)) assert.ok(events.world.threads.running > 0);
    assert.deepEqual(await follower.next(), []);
    await put(table, ['new', '2026-11-24T08:00:40Z']);
    assert.deepEqual(await follower.next(), ['new']);
  });

  test('a position of another index or sort key is none', async () => {
    const table = await create();
    await put(table, ['a', '2026-11-24T09:00:00Z']);
    const follower = follow(table, '2026-11-24T09:30:00Z');
    await follower.next();
    follower.position = follower.position!.replace('"by-day"', '"by-hour"');
    assert.deepEqual(await follower.next(), ['a']);
    follower.position = 'something of a stream';
    assert.deepEqual(await follower.next(), ['a']);
  });

  test('since must name the sort key that orders the items', async () => {
    const table = await create();
    const query = { index: 'by-day', key: { day: '{today}' }, since: 'id', overlap: 60_000 };
    await assert.rejects(follow(table, '2026-11-24T09:30:00Z', { query, entry: 'log' }).next(), {
      code: 'QUERY_KEY_WRONG',
      message:
        /^tables\.log\.query\.since is id, but in index by-day of table .* the sort key that orders these items is at$/,
      remedy: 'write since: at, or query another index',
    });
  });
});

test('what is remembered is bounded: with more items in the overlap less is read again, and none is doubled', () => {
  const attribute = { name: 'at', type: 'S' } as const;
  const keys = [{ name: 'id', type: 'N' }] as const;
  const now = Date.parse('2026-11-24T10:00:00Z');
  const item = (n: number) => ({
    id: { N: String(n) },
    at: { S: new Date(now - 1_000_000 + 10 * Math.floor(n / 2)).toISOString() },
  });
  const items = Array.from({ length: MAX_SEEN + 5_000 }, (_, n) => item(n));
  const task = { attribute, overlap: 3_600_000, now };
  const first = new NewItems({ ...task, tails: [newTail('day')] }, keys);
  assert.equal(itemsOf(first.of(0, pageOfItems(items))).length, items.length);
  const tail = first.finish().get(0)!;
  assert.ok(tail.seen.flatMap(([, ...hashes]) => hashes).length <= MAX_SEEN);
  // The next Query begins at `from`, with all items of that instant.
  const again = items.filter(({ at }) => at.S >= tail.from!.S!);
  assert.ok(again.length >= MAX_SEEN - 2, String(again.length));
  const second = new NewItems({ ...task, tails: [tail] }, keys);
  const late = { ...item(MAX_SEEN), id: { N: '-1' } };
  assert.deepEqual(
    itemsOf(second.of(0, pageOfItems([...again.slice(0, 9_000), late, ...again.slice(9_000)]))),
    [late],
  );
});

describe('days', () => {
  test('what came at the end of a day is read on the next one, also when it appears late', async () => {
    const table = await create();
    const follower = follow(table, '2026-11-24T23:59:45Z');
    await put(table, ['a', '2026-11-24T23:59:40Z']);
    assert.deepEqual(await follower.next(), ['a']);
    await put(table, ['b', '2026-11-24T23:59:58Z'], ['c', '2026-11-25T00:00:05Z']);
    follower.clock.set('2026-11-25T00:00:15Z');
    assert.deepEqual(await follower.next(), ['b', 'c']);
    await put(table, ['late', '2026-11-24T23:59:59Z']);
    follower.clock.set('2026-11-25T00:00:45Z');
    assert.deepEqual(await follower.next(), ['late']);
    follower.clock.set('2026-11-25T00:05:00Z');
    assert.deepEqual(await follower.next(), []);
    follower.clock.set('2026-11-25T00:05:30Z');
    await put(table, ['too-late', '2026-11-24T23:59:59Z']);
    assert.deepEqual(await follower.next(), []);
  });

  test('after a break the days in between are read, once each', async () => {
    const table = await create();
    const follower = follow(table, '2026-11-20T12:00:00Z');
    await put(table, ['a', '2026-11-20T11:59:00Z']);
    await follower.next();
    await put(
      table,
      ['b', '2026-11-20T13:00:00Z'],
      ['c', '2026-11-22T13:00:00Z'],
      ['d', '2026-11-24T08:00:00Z'],
    );
    follower.clock.set('2026-11-24T09:00:00Z');
    assert.deepEqual(await follower.next(), ['b', 'c', 'd']);
    assert.deepEqual(await follower.next(), []);
  });

  // New York, 2026: clocks go forward on 8 March at 02:00 (23 hours), back on 1 November at 02:00 (25 hours).
  for (const [day, next, lastSecond, firstSecond] of [
    ['2026-03-08', '2026-03-09', '2026-03-09T03:59:59Z', '2026-03-09T04:00:00Z'],
    ['2026-11-01', '2026-11-02', '2026-11-02T04:59:59Z', '2026-11-02T05:00:00Z'],
  ] as const) {
    test(`the day of ${day}, on which the clocks change, begins and ends at its local midnight`, async () => {
      const table = await create();
      const follower = follow(table, lastSecond, { timeZone: 'America/New_York' }, 1_000);
      await put(table, ['last', lastSecond, day], ['first', firstSecond, next]);
      assert.deepEqual(await follower.next(), ['last']);
      follower.clock.set(firstSecond);
      assert.deepEqual(await follower.next(), ['first']);
    });
  }
});
