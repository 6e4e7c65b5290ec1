import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LocalDays } from '../../src/base/local-days.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEEPING = { keep: 2, retention: null };
const NEW_ITEMS = { log: true, append: true, time: { column: 'at', unit: null } } as const;
const TYPES = { id: 'string', at: 'number', value: 'number' } as const;

interface Reading {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
}

/** The days around both changes of New York's clocks in 2026, an hour apart and on both sides of each midnight. */
const NIGHTS = ['2026-03-08', '2026-11-01'].flatMap((date) => {
  const first = Date.parse(`${date}T00:00:00Z`) - DAY;
  return Array.from({ length: 72 }, (_, hour) => first + hour * HOUR - (hour % 3 === 0 ? 1 : 0));
});

function poll(world: SqlWorld, table: TableRecorder, readings: readonly Reading[]) {
  const rows = [...readings]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, at, value }) => [id, String(at), String(value)]);
  return table.record(readingOf(TYPES, rows), world.time.at);
}

/** What both ways of answering a window say, which is the same. */
async function answer(world: SqlWorld, search: string): Promise<string> {
  const { sql, time } = world;
  const windows = new WindowQueries({
    clock: time,
    localDays: new LocalDays('America/New_York'),
    next: sql.queries,
  });
  const query = await windows.window(world.dataset('readings'), [...new URLSearchParams(search)]);
  const parts: Buffer[] = [];
  for await (const part of (await query.run(new AbortController().signal)).body) parts.push(part);
  const text = Buffer.concat(parts).toString();
  assert.equal(text, await world.window('readings', search), search);
  return text;
}

const rowsIn = (csv: string) => csv.trimEnd().split('\n').slice(1);

test('items around both changes of the clocks are in their local day, in files, windows and SQL', async (t) => {
  const world = await SqlWorld.start(t, { now: Date.parse('2026-11-20T12:00:00Z') });
  const table = await world.table('readings', NEW_ITEMS);
  const readings = NIGHTS.map((at, index) => ({ id: `r${index}`, at, value: index }));
  const onTime = readings.filter((_, index) => index % 5 !== 0);
  const dayOf = new LocalDays('America/New_York');
  const count = (list: readonly Reading[]) => {
    const days = new Map<string, number>();
    for (const { at } of list) days.set(dayOf.dateOf(at), (days.get(dayOf.dateOf(at)) ?? 0) + 1);
    return [...days].sort().map(([day, n]) => `${day},${n}`);
  };
  await poll(world, table, onTime);
  await world.sealer.seal(table.log!, KEEPING);
  assert.deepEqual(
    table.log!.sealedDays.map(({ date }) => date),
    count(onTime).map((line) => line.slice(0, 10)),
  );
  world.time.at += HOUR;
  // Late ones, of sealed days, before and after they are sealed too.
  await poll(world, table, readings);
  for (const _ of ['unsealed', 'sealed']) {
    const perDay = await world.ask('SELECT date, count(*) AS n FROM readings GROUP BY date ORDER BY date');
    assert.deepEqual(rowsIn(perDay), count(readings));
    const steps = rowsIn(await answer(world, 'from=0&every=1d&agg=count,sum:value'));
    assert.deepEqual(
      steps.map((line) => `${dayOf.dateOf(Date.parse(line.split(',')[0]!))},${line.split(',')[1]}`),
      count(readings),
    );
    for (const date of ['2026-03-08', '2026-11-01']) {
      const [from, to] = [dayOf.startOf(date), dayOf.endOf(dayOf.startOf(date))];
      const found = rowsIn(await answer(world, `from=${from}&to=${to}&columns=id&sort=id`));
      const expected = readings.filter(({ at }) => at >= from && at < to).map(({ id }) => id);
      assert.deepEqual(found, expected.sort());
    }
    await world.sealer.seal(table.log!, KEEPING);
  }
  assert.equal(table.log!.status().rows, 0);
  assert.ok(table.log!.sealedDays.every(({ paths }) => paths.length === 2));
});

const reading = fc.record({
  at: fc.oneof(
    fc.constantFrom(...NIGHTS),
    fc.integer({ min: -10 * 24, max: 20 }).map((hours) => NOW + hours * HOUR),
  ),
  value: fc.integer({ min: -5, max: 40 }),
});
const NOW = Date.parse('2026-11-05T12:00:00Z');

test('whatever arrives when, and is sealed when: each item is in the log once, and windows find it by its time', async (t) => {
  let worlds = 0;
  const life = fc.record({
    readings: fc.array(reading, { maxLength: 12 }),
    seals: fc.boolean(),
    restarts: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
      const world = await SqlWorld.start(t, { now: NOW });
      worlds += 1;
      let table = await world.table('readings', NEW_ITEMS);
      const all: Reading[] = [];
      for (const { readings, seals, restarts } of lives) {
        all.push(...readings.map((one, index) => ({ ...one, id: `r${all.length + index}` })));
        await poll(world, table, all);
        world.time.at += HOUR;
        if (seals) await world.sealer.seal(table.log!, KEEPING);
        if (!restarts) continue;
        await table.close();
        world.registry.remove('readings');
        table = await world.table('readings', NEW_ITEMS);
        await world.sealer.restore(table.log!);
      }
      const ids = (list: readonly Reading[]) => list.map(({ id }) => id).sort();
      assert.deepEqual(rowsIn(await answer(world, 'from=0&columns=id&sort=id')).sort(), ids(all));
      for (const [from, to] of [
        [NOW - DAY, NOW],
        [Date.parse('2026-03-08T05:00:00Z'), Date.parse('2026-03-09T04:00:00Z')],
        [Date.parse('2026-11-01T05:30:00Z'), Date.parse('2026-11-01T06:30:00Z')],
      ] as const) {
        const found = rowsIn(await answer(world, `from=${from}&to=${to}&columns=id`)).sort();
        assert.deepEqual(found, ids(all.filter(({ at }) => at >= from && at < to)));
        await answer(world, `from=${from}&to=${to}&every=1h&agg=max:value,last:value,count&fill=previous`);
      }
      await table.close();
    }),
    { numRuns: Number(process.env.RUNS ?? 15) },
  );
  assert.ok(worlds > 0);
});
