import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { get, until } from '../app/world.js';
import { Answers, hasRole, health, pair, pollsIn } from './world.js';

/** Several services on one volume: processes, real files, real HTTP. */

const LOG = 'log: true, changes: true, interval: 1s';

test('a follower gives the answers of the collector, byte for byte, and writes nothing', async (t) => {
  // Each state lasts long enough to be seen, also by a test that gets its turn seldom. A log has a new one with each poll.
  for (const options of ['log: true, changes: true, interval: 6s', 'changes: true, interval: 3s']) {
    const { table, put, start, dataDir } = await pair(t, options);
    await put(1, { state: 'free' });
    const collector = await start();
    const url = await collector.url;
    await until(url, `/csv/${table}`, ({ text }) => text.includes('free'));
    const follower = await start({ ROLE: 'follow' });
    const other = await follower.url;
    await until(other, `/csv/${table}`, ({ status }) => status === 200);
    const paths = [
      `/csv/${table}`,
      `/csv/${table}-changes`,
      `/csv/${table}?sort=-id&limit=2`,
      `/csv/${table}?id=1&columns=id,state`,
      '/csv/per-state',
    ];
    const collected = paths.map((path) => new Answers(url, path));
    for (const [index, path] of paths.entries())
      await until(other, path, ({ text }) => collected[index]!.texts.includes(text));
    const following = paths.map((path) => new Answers(other, path));
    // A new item, a change, a new column in both files, a deletion's opposite, and text that CSV quotes.
    await put(2, { state: 'taken' });
    await until(other, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
    await put(1, { state: 'taken', area: 'north, "east"' });
    await until(other, `/csv/${table}-changes`, ({ text }) => text.includes('update,1'));
    await put(3, { state: 'free\n', zone: '9' });
    await until(other, `/csv/${table}-changes`, ({ text }) => text.includes('insert,3'));
    await until(other, '/csv/per-state', ({ text }) => text.includes('free\n'));
    // The follower's first: what it shows, the collector has shown already.
    const followed = await Promise.all(following.map((one) => one.end()));
    const given = await Promise.all(collected.map((one) => one.end()));
    for (const [index, path] of paths.entries()) {
      assert.ok(followed[index]!.length > 1, path);
      for (const text of followed[index]!) {
        const isGiven = given[index]!.includes(text) || hasColumnsOfNextPoll(text, given[index]!);
        assert.ok(isGiven, `${path}: ${text}`);
      }
    }
    assert.deepEqual(columnsOf(await get(other, '/datasets')), columnsOf(await get(url, '/datasets')));
    assert.equal((await get(other, '/readyz')).status, 200);
    assert.equal((await health(follower)).role, 'follow');
    assert.ok((await health(follower)).behind! >= 0);
    assert.match((await get(other, '/metrics')).text, /^dynamo_csv_role\{role="follow"\} 1$/m);
    assert.match((await get(other, '/metrics')).text, /^dynamo_csv_behind_seconds \d/m);
    assert.match((await get(url, '/metrics')).text, /^dynamo_csv_role\{role="collect"\} 1$/m);
    // The collector is gone: nobody touches the folder any more.
    await collector.end();
    const before = await marksOf(dataDir, table);
    await until(other, '/healthz', ({ text }) => text.includes('stale'));
    assert.deepEqual(await marksOf(dataDir, table), before);
    assert.equal((await follower.end()).code, 0);
  }
});

/**
 * Whether an answer is one that the collector gave with the columns of a later one: a file gets its new columns moments
 * before the poll that has values in them, too short a time for `Answers` to see it at the collector.
 */
function hasColumnsOfNextPoll(text: string, given: readonly string[]): boolean {
  const [columns = [], ...rows] = parse(text) as string[][];
  return given.some((earlier, index) => {
    const later = given.slice(index + 1).map((one) => (parse(one) as string[][])[0]);
    if (!later.some((header) => header?.join() === columns.join())) return false;
    const records = parse(earlier, { columns: true }) as Record<string, string>[];
    const laidOut = records.map((record) => columns.map((column) => record[column] ?? ''));
    return JSON.stringify(laidOut) === JSON.stringify(rows);
  });
}

function columnsOf({ text }: { readonly text: string }) {
  const { datasets } = JSON.parse(text) as { datasets: Record<string, unknown>[] };
  return datasets.map(({ name, kind, source, description, columns, keys, timeColumn, definition }) => {
    return { name, kind, source, description, columns, keys, timeColumn, definition };
  });
}

async function marksOf(dataDir: string, table: string) {
  const paths = [`${table}.csv`, `${table}-changes.csv`, `.dynamo-csv/${table}.json`, '.dynamo-csv/lock'];
  return Promise.all(
    paths.map(async (path) => {
      const { ino, mtimeMs } = await stat(join(dataDir, path));
      const hash = createHash('sha256').update(await readFile(join(dataDir, path)));
      return [path, ino, mtimeMs, hash.digest('hex')];
    }),
  );
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`the collector ends by ${signal}: the follower goes on, and nothing is doubled or lost`, async (t) => {
    const { table, put, start } = await pair(t, LOG);
    await put(1, { state: 'free' });
    const first = await start();
    await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
    const second = await start();
    const url = await second.url;
    await hasRole(second, 'follow');
    await put(2, { state: 'free' });
    await until(url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
    const before = (await get(url, `/csv/${table}`)).text;
    const asked = new Answers(url, `/csv/${table}`);
    await first.end(signal);
    await put(3, { state: 'free' });
    await hasRole(second, 'collect');
    const { text } = await until(url, `/csv/${table}`, ({ text }) => text.includes('\n3,free'));
    const answers = await asked.end();
    assert.ok(text.startsWith(before));
    // Each poll is in the log once and whole, and no answer meanwhile had less than the one before.
    for (const [time, rows] of pollsIn(text)) assert.ok(rows <= 3, `${time}: ${rows}`);
    for (const [index, answer] of answers.slice(1).entries()) assert.ok(answer.startsWith(answers[index]!));
    const changes = (await get(url, `/csv/${table}-changes`)).text;
    assert.deepEqual(changes.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3']);
    assert.equal((await health(second)).behind, 0);
    await second.logged(({ msg }) => msg === 'this service collects now');
  });
}

test('a frozen collector: the follower takes over, and the old one writes nothing more and follows', async (t) => {
  const { table, put, start, dataDir } = await pair(t, LOG);
  await put(1, { state: 'free' });
  const first = await start();
  await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  const second = await start();
  const url = await second.url;
  await hasRole(second, 'follow');
  first.process.kill('SIGSTOP');
  await hasRole(second, 'collect');
  await put(2, { state: 'free' });
  await until(url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,2'));
  first.process.kill('SIGCONT');
  await first.logged(({ msg }) => msg.includes('stops writing, and follows'));
  await hasRole(first, 'follow');
  await put(3, { state: 'free' });
  await until(await first.url, `/csv/${table}-changes`, ({ text }) => text.includes('insert,3'));
  const changes = (await get(url, `/csv/${table}-changes`)).text;
  assert.deepEqual(changes.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3']);
  for (const [time, rows] of pollsIn((await get(url, `/csv/${table}`)).text))
    assert.ok(rows <= 3, `${time}: ${rows}`);
  // And back again.
  await second.end('SIGKILL');
  await hasRole(first, 'collect');
  const before = (await get(await first.url, `/csv/${table}`)).text;
  await until(await first.url, `/csv/${table}`, ({ text }) => text.length > before.length);
  const file = await readFile(join(dataDir, `${table}.csv`), 'utf8');
  assert.ok(file.startsWith(before));
});

test('ROLE=collect: a second service is refused; one that lost the folder ends with the reason', async (t) => {
  const { table, put, start } = await pair(t, 'interval: 1s');
  await put(1, { state: 'free' });
  const first = await start({ ROLE: 'collect' });
  await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  const refused = await start({ ROLE: 'collect' });
  assert.equal((await refused.exit).code, 1);
  await refused.logged(({ msg }) => /is in use by process \d+ on host/.test(msg));
  const second = await start();
  await hasRole(second, 'follow');
  first.process.kill('SIGSTOP');
  await hasRole(second, 'collect');
  first.process.kill('SIGCONT');
  assert.equal((await first.exit).code, 1);
  await first.logged(({ msg }) => /Another service took over the data folder/.test(msg));
});

test('a wrong role is refused with the right ones', async (t) => {
  const { start } = await pair(t, 'interval: 1s');
  const service = await start({ ROLE: 'standby' });
  assert.equal((await service.exit).code, 78);
  assert.match(service.errors(), /ROLE: "standby" is not a role; write collect, follow or auto/);
});

test('a follower goes on when the folder cannot be looked at for a while', async (t) => {
  const { table, put, start, dataDir } = await pair(t, 'interval: 500ms');
  await put(1, { state: 'free' });
  const first = await start({ ROLE: 'collect' });
  await until(await first.url, `/csv/${table}`, ({ text }) => text.includes('free'));
  const follower = await start({ ROLE: 'follow' });
  const url = await follower.url;
  assert.match((await get(url, `/csv/${table}`)).text, /1,free/);
  await first.end();
  const own = join(dataDir, '.dynamo-csv');
  await rename(own, `${own}.away`);
  // A file in its place: looking below it is an error of the system.
  await writeFile(own, '');
  await follower.logged(({ msg }) => msg.startsWith('the data folder cannot be looked at: ENOTDIR'));
  await rm(own);
  await rename(`${own}.away`, own);
  await follower.logged(({ msg }) => msg === 'the data folder is followed again');
  await put(2, { state: 'taken' });
  await start({ ROLE: 'collect' });
  await until(url, `/csv/${table}`, ({ text }) => text.includes('2,taken'));
});

test('days that the collector writes again in one schema stay the same for a follower, also with a column renamed', async (t) => {
  const { table, put, start } = await pair(t, 'log: append, time: created_at, interval: 500ms, keep: 1');
  const dayAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  await put(1, { created_at: dayAgo(4), state: 'free', zone: 'north' });
  await put(2, { created_at: dayAgo(3), state: 'free', zone: 'south' });
  const first = await start({ ROLE: 'collect' });
  await first.logged(({ msg }) => msg === 'sealed closed days');
  const follower = await start({ ROLE: 'follow' });
  const url = await follower.url;
  const all = `/csv/${table}?from=2000-01-01T00:00:00Z&columns=id,zone&sort=id`;
  assert.equal((await get(url, all)).text, 'id,zone\n1,north\n2,south\n');
  await first.end();
  // SQL takes "Zone" and "zone" for one name, so that the older column gets another one in the files.
  await put(3, { created_at: dayAgo(3), state: 'free', zone: 'east', Zone: 'E' });
  const second = await start({ ROLE: 'collect' });
  await second.logged(({ msg }) => msg === 'wrote sealed days again, in one schema');
  const { text } = await get(await second.url, all);
  assert.equal(text, 'id,zone\n1,north\n2,south\n3,east\n');
  const inTime = AbortSignal.timeout(120_000);
  for (let seen = ''; seen !== text; seen = (await get(url, all)).text) {
    assert.ok(!inTime.aborted, seen);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
