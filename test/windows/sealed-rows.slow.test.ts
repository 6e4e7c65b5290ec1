import assert from 'node:assert/strict';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { LocalDays } from '../../src/base/local-days.js';
import type { Parameters, Queries } from '../../src/datasets/queries.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** In New York the clocks went back on the first of November. */
const FIRST = Date.parse('2026-10-29T04:00:00Z');
const DAYS = 8;
const NOW = FIRST + DAYS * DAY;
const ZONE = 'America/New_York';

/** Eight days of a log polled every two hours, all but the last two of them sealed; and what is asked of DuckDB. */
async function sealedWorld(t: TestContext) {
  const world = await SqlWorld.start(t, { now: NOW, timeZone: ZONE });
  const log = await world.table('log', { log: true });
  for (let at = FIRST; at < NOW; at += 2 * HOUR) await log.record(readingAt(at), at);
  await world.sealer.seal(log.log!, { keep: 2, retention: null });
  const asked: string[] = [];
  const next: Queries = {
    window: (dataset, parameters) => {
      asked.push(new URLSearchParams(parameters as [string, string][]).toString());
      return world.sql.queries.window(dataset, parameters);
    },
    sql: world.sql.queries.sql,
  };
  const windows = new WindowQueries({ clock: world.time, localDays: new LocalDays(ZONE), next });
  const ask = (queries: Queries, parameters: Parameters) => answerOf(queries, world, parameters);
  return { world, log, windows, ask, asked };
}

/** Four items with cells that are hard to write: quotes, line ends, nothing, many digits. */
function readingAt(at: number) {
  const n = Math.floor((at - FIRST) / HOUR);
  const rows = [
    ['a', String(n), n % 3 === 0 ? null : `text ${n}`, '12345678901234567890123456789012345678'],
    ['b', String(-n), 'say "no",\nthen leave', null],
    ['c,d', null, '', `0.${n}`],
    ['e', String(n / 8), 'zürich', '-1'],
  ];
  return readingOf({ id: 'string', n: 'number', text: 'string', digits: 'number' }, rows, ['id']);
}

async function answerOf(queries: Queries, world: SqlWorld, parameters: Parameters): Promise<object> {
  const { key, until, contentType, readAt, atOnce, run } = await queries.window(
    world.dataset('log'),
    parameters,
  );
  const { columns, body } = await run(new AbortController().signal);
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  const whole = Buffer.concat(parts).toString();
  assert.equal(atOnce?.()?.toString() ?? whole, whole);
  return { key, until, contentType, readAt, columns, body: whole };
}

const instant = fc.oneof(
  fc.integer({ min: FIRST - DAY, max: NOW + HOUR }),
  fc.integer({ min: -1, max: DAYS }).map((day) => FIRST + day * DAY),
);
const question = fc.record({
  bounds: fc.tuple(instant, instant).map((both) => both.sort((a, b) => a - b)),
  more: fc.constantFrom(
    '',
    'every=1h',
    'every=7h&limit=5',
    'every=1d&null=null',
    'every=3h&sort=-n&columns=n,id',
    'every=1d&pivot=id:n',
    'every=2d&pivot=id:n&pad=1',
    'every=1d&pivot=text:n',
    'every=1w&sort=-n&limit=3',
    'id=a&every=2h',
    'id=a&every=1d',
    'id__in=a,"c,d"&every=3d&columns=n,text',
    'id__contains=a&every=1d',
    'n__lt=60&every=1d',
    'text__contains=no',
    'format=json&offset=3',
    'agg=sum:n,count&every=6h&by=id',
    'pivot=id:digits&pad=1',
    'header=0&delimiter=tab&sort=text',
  ),
});

test('windows of sealed days have the bytes that DuckDB gives them, asked once or again', async (t) => {
  const { world, windows, ask, asked } = await sealedWorld(t);
  let answered = 0;
  const property = fc.asyncProperty(question, async ({ bounds: [from, to], more }) => {
    const parameters = [...new URLSearchParams(`from=${from}&to=${to}&${more}`)];
    const expected = await ask(world.sql.queries, parameters);
    for (let round = 0; round < 2; round += 1) {
      answered += 1;
      assert.deepEqual(await ask(windows, parameters), expected, `from=${from}&to=${to}&${more}`);
    }
  });
  await fc.assert(property, { numRuns: 200, seed: 2026 });
  assert.ok(asked.length < answered / 3, `${asked.length} of ${answered} windows were handed to DuckDB`);
});

test('a day that windows ask for repeatedly is read once', async (t) => {
  const { world, log, windows, ask, asked } = await sealedWorld(t);
  const aDay = (shift: number): Parameters => [
    ['from', String(FIRST + DAY + shift)],
    ['to', String(FIRST + 2 * DAY + shift)],
    ['every', '1h'],
  ];
  const before = await Promise.all([1, 2, 3, 4].map((shift) => ask(world.sql.queries, aDay(shift))));
  assert.deepEqual(await ask(windows, aDay(1)), before[0]);
  assert.deepEqual(await ask(windows, aDay(2)), before[1]);
  // The window itself, then the two days that it reaches into.
  assert.equal(asked.length, 3);
  await rm(join(world.dataDir, 'history'), { recursive: true });
  assert.deepEqual(await ask(windows, aDay(3)), before[2]);
  const { version } = await windows.window(world.dataset('log'), aDay(4));
  await log.record(readingAt(NOW), NOW);
  const again = await windows.window(world.dataset('log'), aDay(4));
  assert.equal(again.version, version, 'a poll of today does not change it');
  assert.equal(asked.length, 3);
});

test('a day whose files another service has written again is read again', async (t) => {
  const { world, log, windows, ask, asked } = await sealedWorld(t);
  const aDay: Parameters = [...new URLSearchParams(`from=${FIRST + DAY}&to=${FIRST + 2 * DAY}&every=1h`)];
  const right = (await ask(world.sql.queries, aDay)) as { body: string };
  // What is read while a file is being replaced may be anything.
  const [before, day, ...after] = log.log!.sealedDays;
  const [path] = day!.paths;
  const content = await readFile(path!);
  await copyFile(before!.paths[0]!, `${path}.other`);
  await rename(`${path}.other`, path!);
  for (let round = 0; round < 3; round += 1) await ask(windows, aDay);
  await writeFile(`${path}.again`, content);
  await rename(`${path}.again`, path!);
  const count = asked.length;
  await ask(windows, aDay);
  assert.equal(asked.length, count, 'it is kept');
  log.log!.sealedDays = [before!, { ...day!, rewritings: 1 }, ...after];
  for (let round = 0; round < 3; round += 1)
    assert.equal(((await ask(windows, aDay)) as { body: string }).body, right.body);
});

test('the last rows of sealed days are read once, for days and longer steps', async (t) => {
  const { world, log, windows, ask, asked } = await sealedWorld(t);
  const days = (shift: number, more: string): Parameters => [
    ...new URLSearchParams(`from=${FIRST + shift}&to=${NOW + shift}&${more}`),
  ];
  const questions = ['every=1d', 'every=2d&pivot=id:n', 'every=1w', 'id=b&every=1d&sort=-n'].map((more, n) =>
    days(n * HOUR, more),
  );
  const expected = [];
  for (const one of questions) expected.push(await ask(world.sql.queries, one));
  assert.deepEqual(await ask(windows, questions[0]!), expected[0]);
  assert.equal(asked.length, 1);
  await rm(join(world.dataDir, 'history'), { recursive: true });
  for (const [n, one] of questions.entries()) assert.deepEqual(await ask(windows, one), expected[n]);
  assert.equal(asked.length, 1);
  await log.record(readingAt(NOW), NOW);
  const { body } = (await ask(windows, days(HOUR, 'every=1d&columns=n'))) as { body: string };
  assert.match(body, new RegExp(`^${(NOW - FIRST) / HOUR}$`, 'm'), 'a poll of today is in it');
});

test('a row recorded into a day that is already sealed is among its rows', async (t) => {
  const { world, log, windows, ask } = await sealedWorld(t);
  await late(world, log);
  const parameters: Parameters = [
    ['from', String(NOW - 2 * HOUR)],
    ['to', String(NOW + HOUR)],
  ];
  for (let round = 0; round < 3; round += 1)
    assert.deepEqual(await ask(windows, parameters), await ask(world.sql.queries, parameters));
});

test('a column that comes while sealed days are being read is in every answer after that', async (t) => {
  const { world, log, ask, asked } = await sealedWorld(t);
  let release = () => {};
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  const next: Queries = {
    // What was asked before the column came arrives after it.
    window: async (dataset, parameters) => {
      const { run, ...query } = await world.sql.queries.window(dataset, parameters);
      const answer = await run(new AbortController().signal);
      const parts: Buffer[] = [];
      for await (const part of answer.body) parts.push(part);
      asked.push('');
      await hold;
      return { ...query, run: async () => ({ ...answer, body: Readable.from(parts) }) };
    },
    sql: world.sql.queries.sql,
  };
  const windows = new WindowQueries({ clock: world.time, localDays: new LocalDays(ZONE), next });
  const parameters: Parameters = [...new URLSearchParams(`from=${FIRST}&to=${NOW + HOUR}&every=1d`)];
  const before = ask(windows, parameters);
  while (asked.length === 0) await setImmediate();
  const types = { id: 'string', n: 'number', text: 'string', digits: 'number', more: 'string' } as const;
  await log.record(readingOf(types, [['a', '1', 'x', '2', 'new']], ['id']), NOW);
  const after = ask(windows, parameters);
  // It reads the days itself; if it did not, it would be waiting by then.
  for (let turn = 0; asked.length < 2 && turn < 2_000; turn += 1) await setImmediate();
  release();
  await before;
  assert.deepEqual(await after, await ask(world.sql.queries, parameters));
  assert.deepEqual(await ask(windows, parameters), await ask(world.sql.queries, parameters));
});

/** Seals all days, and records a poll of the last of them after that. */
async function late(world: SqlWorld, log: TableRecorder): Promise<void> {
  world.time.at = NOW + 2 * DAY;
  await world.sealer.seal(log.log!, { keep: 1, retention: null });
  await log.record(readingAt(NOW), NOW - HOUR);
}
