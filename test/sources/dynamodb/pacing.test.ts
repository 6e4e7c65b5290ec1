import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Clock } from '../../../src/base/clock.js';
import { ReadPacer } from '../../../src/sources/dynamodb/pacing.js';
import { createDynamoDbSource } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import { useTestAws } from '../../support/aws.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';

useTestAws();
const threads = new ScanThreads({ size: 1 });
after(() => threads.close());

/** A clock that goes on only by sleeping, at once. */
class SleepingClock implements Clock {
  time = 1_000_000;
  now() {
    return this.time;
  }
  async sleep(milliseconds: number, signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.time += milliseconds;
  }
}

describe('ReadPacer', () => {
  const { signal } = new AbortController();

  test('a page waits until the one before it is paid', async () => {
    const clock = new SleepingClock();
    const pacer = new ReadPacer(50, clock);
    pacer.consumed(100, await pacer.take(signal));
    assert.equal(clock.time, 1_000_000, 'the first page waits for nothing');
    pacer.consumed(25, await pacer.take(signal));
    assert.equal(clock.time, 1_002_000);
    await pacer.take(signal);
    assert.equal(clock.time, 1_002_500);
  });

  test('what an earlier reading owes is waited for first', async () => {
    const clock = new SleepingClock();
    const pacer = new ReadPacer(10, clock, { owed: 700 });
    await pacer.take(signal);
    assert.equal(clock.time, 1_000_700);
  });

  test('pages asked for at the same time are spaced', async () => {
    const waits: number[] = [];
    const clock: Clock = { now: () => 0, sleep: async (milliseconds) => void waits.push(milliseconds) };
    const pacer = new ReadPacer(10, clock, { expected: 5 });
    await Promise.all([pacer.take(signal), pacer.take(signal), pacer.take(signal)]);
    assert.deepEqual(waits, [500, 1000]);
  });
});

describe('maxReadCapacity', () => {
  const options = {
    table: 'scripted',
    region: null,
    columns: [],
    only: null,
    rename: {},
    consistent: false,
    threads,
  };

  test('a reading takes the time that its units cost, and the next one pays the rest', async () => {
    const clock = new SleepingClock();
    const server = await startScriptedDynamoDb(({ action, body }) => {
      if (action === 'DescribeTable') return described({ items: 1000, bytes: 400_000 });
      const after = Number((body.ExclusiveStartKey as { id: { N: string } } | undefined)?.id.N ?? 0);
      return page([after + 1], { more: after < 4, units: 20 });
    });
    const source = createDynamoDbSource({
      ...options,
      endpoint: server.endpoint,
      segments: 'auto',
      maxReadCapacity: 10,
      maxPollMegabytes: null,
      clock,
    });
    const { signal } = new AbortController();
    const { cost } = await source.read({ known: [], signal });
    assert.equal(cost.readCapacityUnits, 100);
    assert.equal(
      clock.time - 1_000_000,
      8_000,
      'five pages of 20 units at 10 a second; the last is still to pay',
    );
    await source.read({ known: [], signal });
    assert.equal(clock.time - 1_000_000, 18_000);
    await source.close();
    await server.close();
    // 10 units pay for 80 KB, and the items have 400 bytes.
    assert.ok(
      server.requests.filter(({ action }) => action === 'Scan').every(({ body }) => body.Limit === 204),
    );
  });

  test('of a table that DynamoDB has not counted yet, pages are as large as its items allow', async () => {
    const items = Array.from({ length: 100 }, (_, id) => ({ id: { N: String(id) }, n: { N: '1' } }));
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'DescribeTable' ? described() : page(items, { units: 1 }),
    );
    const clock = new SleepingClock();
    const source = createDynamoDbSource({
      ...options,
      endpoint: server.endpoint,
      segments: 1,
      maxReadCapacity: 10,
      maxPollMegabytes: null,
      clock,
    });
    const { signal } = new AbortController();
    for (let poll = 0; poll < 2; poll++) await source.read({ known: [], signal });
    await source.close();
    await server.close();
    const limits = server.requests.flatMap(({ action, body }) =>
      action === 'Scan' ? [Number(body.Limit)] : [],
    );
    assert.equal(limits[0], 80, 'items of 1 KB are assumed');
    assert.ok(limits[1]! > 1_000, `these have some forty bytes: ${limits[1]}`);
  });

  test('abort ends the wait', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    const server = await startScriptedDynamoDb(({ action }) => {
      if (action === 'DescribeTable') return described();
      // By the time the next page would be due, the test is over.
      setImmediate(() => controller.abort(reason));
      return page([1], { more: true, units: 1_000_000 });
    });
    const source = createDynamoDbSource({
      ...options,
      endpoint: server.endpoint,
      segments: 1,
      maxReadCapacity: 1,
      maxPollMegabytes: null,
    });
    await assert.rejects(source.read({ known: [], signal: controller.signal }), reason);
    await source.close();
    await server.close();
  });
});
