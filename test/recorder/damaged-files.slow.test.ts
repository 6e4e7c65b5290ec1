import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import { openOrBroken } from '../../src/recorder/broken-recorder.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { ALL_KEPT, RecorderRuns } from '../support/recorder-runs.js';
import { recorderWorld } from '../support/recorder-world.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { type Items, itemsOf, readingOf, rowsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** One damaged file of a table costs what is damaged, and nothing else: the rest is served, and polls go on. */

const FIRST = Date.parse('2026-11-24T09:30:00.000Z');
const MINUTE = 60_000;
const one = itemsOf({ a: { count: '1' }, b: { count: '1' } });
const two = itemsOf({ a: { count: '2' }, b: { count: '1' } });
const three = itemsOf({ a: { count: '2' } });

const LOG_AND_CHANGES = { log: true, changes: true };
const EVERYTHING = { log: true, logName: 'flags-log', changes: true };

/** A table with three polls, the last of which deletes an item, and what a test does to its files. */
async function world(t: TestContext, kept: Partial<RecorderOptions>) {
  const { dataDir, open, record, file, lines, now } = await recorderWorld(t, {
    name: 'flags',
    first: FIRST,
    step: MINUTE,
  });
  await record(kept, one, two, three);
  const path = (name: string) => join(dataDir, name);
  const damage = async (name: string, change: (text: string) => string) => {
    const before = await file(name);
    const after = change(before);
    assert.notEqual(after, before);
    await writeFile(path(name), after);
    return after;
  };
  /** The rows of changes that polls of these items add. */
  const changesOf = async (...polls: Items[]) => {
    const before = (await file('flags-changes.csv').catch(() => '')).split('\n').length;
    await record(kept, ...polls);
    return (await file('flags-changes.csv')).split('\n').slice(before - 1, -1);
  };
  const damaged = (): Promise<string[]> => readdir(path('damaged')).catch(() => []);
  return { dataDir, path, open, record, file, lines, now, damage, changesOf, damaged };
}

test('a damaged line of changes is moved aside, and the rest is served', async (t) => {
  const { damage, record, file, damaged, lines } = await world(t, { changes: true });
  await damage('flags-changes.csv', (text) => text.replace('insert,b', 'insert,b,,,,'));
  await record({ changes: true }, three, one);
  assert.deepEqual((await file('flags-changes.csv')).split('\n').slice(-3, -1), [
    'update,a,1,2,2026-11-24T09:33:00.000Z,2026-11-24T09:34:00.000Z',
    'insert,b,1,1,2026-11-24T09:33:00.000Z,2026-11-24T09:34:00.000Z',
  ]);
  assert.equal((await file('flags-changes.csv')).split('\n').length, 7);
  assert.deepEqual(await damaged(), ['flags-changes.lines.csv']);
  assert.match(
    await file('damaged/flags-changes.lines.csv'),
    /^line,reason,text\n3,10 cells .*,"insert,b,,,,/,
  );
  assert.deepEqual([lines[0]!.msg, lines[0]!.lines], ['moved damaged lines aside', 1]);
});

test('a quote that a disk made up takes its own line only, not all lines behind it', async (t) => {
  const { damage, record, file } = await world(t, { log: true });
  const before = await file('flags.csv');
  await damage('flags.csv', (text) => text.replace('\nb,1,', '\n",1,'));
  await record({ log: true }, one);
  assert.equal((await file('flags.csv')).split('\n').length, before.split('\n').length - 1 + 2);
});

test('a time that is not one any more takes its line only', async (t) => {
  const { damage, record, file } = await world(t, { log: true });
  await damage('flags.csv', (text) => text.replace('a,1,2026', 'a,1,\u00002026'));
  await record({ log: true }, one);
  assert.match(await file('flags.csv'), /^id,count,timestamp\nb,1,/);
});

for (const [name, change] of [
  ['truncated', (text: string) => text.slice(0, -4)],
  ['emptied', () => ''],
  ['flipped', (text: string) => text.replace('a,2', 'a,7')],
  ['torn in a quote', (text: string) => text.replace('a,', '"a,')],
] as const) {
  test(`a baseline that was ${name} is rebuilt from the log: no false changes, and true ones are found`, async (t) => {
    const { damage, changesOf, damaged, lines } = await world(t, LOG_AND_CHANGES);
    await damage('.dynamo-csv/flags.baseline.csv', change);
    assert.deepEqual(await changesOf(three, itemsOf({ a: { count: '9' } })), [
      'update,a,9,2,2026-11-24T09:33:00.000Z,2026-11-24T09:34:00.000Z',
    ]);
    assert.ok((await damaged()).includes('flags.baseline.csv'));
    assert.match(lines.at(-1)!.msg, /taken from the log/);
  });

  test(`a snapshot that was ${name} causes no false changes, and that is logged`, async (t) => {
    const { damage, changesOf, lines } = await world(t, { changes: true });
    await damage('flags.csv', change);
    assert.deepEqual(await changesOf(three, itemsOf({ a: { count: '9' } })), [
      'update,a,9,2,2026-11-24T09:33:00.000Z,2026-11-24T09:34:00.000Z',
    ]);
    assert.match(lines.at(-1)!.msg, /changed the latest items: the file is served as found/);
  });
}

test('an edited snapshot is served as found until the next poll', async (t) => {
  const { damage, open } = await world(t, { changes: true });
  const edited = await damage('flags.csv', (text) => `${text}z,9\n`);
  const recorder = await open({ changes: true });
  t.after(() => recorder.close());
  assert.equal((await recorder.datasets[0]!.content()).bytes.toString(), edited);
});

test('an edited snapshot with a log is compared with the log’s latest poll', async (t) => {
  const { damage, changesOf } = await world(t, EVERYTHING);
  await damage('flags.csv', (text) => `${text}z,9\n`);
  assert.deepEqual(await changesOf(itemsOf({ a: { count: '9' } })), [
    'update,a,9,2,2026-11-24T09:32:00.000Z,2026-11-24T09:33:00.000Z',
  ]);
});

for (const kept of [{ changes: true }, LOG_AND_CHANGES]) {
  test(`last values of deleted items that were flipped are read off the changes: ${'log' in kept}`, async (t) => {
    const { damage, changesOf, damaged } = await world(t, kept);
    await damage('.dynamo-csv/flags.deleted.csv', (text) => text.replace('b,1', 'b,8'));
    assert.deepEqual(await changesOf(two), [
      'insert,b,1,1,2026-11-24T09:32:00.000Z,2026-11-24T09:33:00.000Z',
    ]);
    assert.deepEqual(await damaged(), ['flags.deleted.csv']);
  });
}

test('last values of deleted items that are no CSV file stop nothing', async (t) => {
  const { damage, changesOf } = await world(t, { changes: true });
  await damage('.dynamo-csv/flags.deleted.csv', (text) => text.replace('b,1', '"b,1'));
  assert.deepEqual(await changesOf(two), ['insert,b,1,1,2026-11-24T09:32:00.000Z,2026-11-24T09:33:00.000Z']);
});

for (const [what, state] of Object.entries({
  'not JSON': 'columns',
  null: null,
  'a list': [],
  'of other types': { format: 1, columns: {}, datasets: [] },
  'without names': { names: {} },
  'with a time that is none': { readAt: 'yesterday' },
  'with a column twice': { columns: ['id', 'id'].map((name) => ({ name, type: 'string', seen: true })) },
  'with a key that is no column': { keys: ['nowhere'] },
  'with names that are not texts': { names: { timestamp: 7, change: 'change', since: 'since' } },
})) {
  test(`a state that is ${what} is moved aside before anything else moves, and written anew`, async (t) => {
    const { path, record, file, damaged, dataDir } = await world(t, LOG_AND_CHANGES);
    const before = await file('flags.csv');
    const ours = JSON.parse(await file('.dynamo-csv/flags.json'));
    const isPatch = typeof state === 'object' && state !== null && !Array.isArray(state);
    const text = typeof state === 'string' ? state : JSON.stringify(isPatch ? { ...ours, ...state } : state);
    await writeFile(path('.dynamo-csv/flags.json'), text);
    await record(LOG_AND_CHANGES, three);
    assert.equal(await file('flags.csv'), `${before}a,2,2026-11-24T09:33:00.000Z\n`);
    assert.equal((await readdir(dataDir)).includes('taken-over'), false);
    assert.deepEqual(await damaged(), ['flags.json']);
    const changes = await rowsOf(Buffer.from(await file('flags-changes.csv')));
    assert.equal(changes.length, 4, 'no false changes');
    assert.deepEqual(JSON.parse(await file('.dynamo-csv/flags.json')).names, ours.names);
  });
}

for (const name of [
  'flags.csv',
  'flags-changes.csv',
  '.dynamo-csv/flags.json',
  '.dynamo-csv/flags.baseline.csv',
  '.dynamo-csv/flags.deleted.csv',
  '.dynamo-csv/flags.csv.append',
]) {
  test(`a folder in the place of ${name} is moved aside, and polls go on`, async (t) => {
    const { path, record, file, damaged } = await world(t, LOG_AND_CHANGES);
    await rm(path(name));
    await mkdir(path(name));
    await writeFile(path(`${name}/note.txt`), 'x');
    await record(LOG_AND_CHANGES, three);
    assert.match(await file('flags.csv'), /a,2,2026-11-24T09:33:00.000Z\n$/);
    assert.ok((await damaged()).length > 0);
  });
}

for (const [what, make] of [
  ['a named pipe', async (path: string) => execFileSync('mkfifo', [path])],
  ['a symbolic link to itself', (path: string) => symlink(basename(path), path)],
] as const) {
  test(`${what} in the place of a file is moved aside and not waited for`, async (t) => {
    const { path, record, file, damaged } = await world(t, LOG_AND_CHANGES);
    const names = ['flags.csv', '.dynamo-csv/flags.json', '.dynamo-csv/flags.baseline.csv'];
    for (const name of names) {
      await rm(path(name));
      await make(path(name));
    }
    await record(LOG_AND_CHANGES, three);
    assert.match(await file('flags.csv'), /a,2,2026-11-24T09:33:00.000Z\n$/);
    assert.deepEqual((await damaged()).sort(), names.map((name) => basename(name)).sort());
  });
}

test('a table whose files the disk does not give is broken: its datasets say so, and nothing throws', async (t) => {
  const { dataDir } = await world(t, LOG_AND_CHANGES);
  const { logger, lines } = await import('../support/log-lines.js').then(({ logLines }) => logLines('error'));
  const health = new PollHealth(MINUTE, { now: () => FIRST, sleep: async () => undefined });
  const options = {
    name: 'flags',
    source: 'a table',
    dataDir,
    health,
    logger,
    ...LOG_AND_CHANGES,
    configured: [],
    timestampColumn: null,
  };
  const { nodeFiles } = await import('../../src/volume/files.js');
  const files = new FaultyFiles(nodeFiles, ({ name, path }) =>
    name === 'read' && path.endsWith('flags.csv') ? { fails: 'EIO' } : null,
  );
  const recorder = await openOrBroken(options, () => openTestRecorder({ ...options, files }));
  assert.deepEqual(
    recorder.datasets.map(({ name, version }) => [name, version]),
    [
      ['flags', null],
      ['flags-changes', null],
    ],
  );
  await assert.rejects(recorder.datasets[0]!.content(), {
    code: 'TABLE_BROKEN',
    status: 503,
    message: /^"flags" is broken: .*flags\.csv/,
  });
  await assert.rejects(recorder.record(readingOf(one), FIRST), { code: 'TABLE_BROKEN' });
  assert.match(lines[0]!.msg, /restart this service$/);
});

test('a log that is moved away while the service runs begins anew under its own name', async (t) => {
  const { path, open, file, lines, now } = await world(t, LOG_AND_CHANGES);
  const recorder = await open(LOG_AND_CHANGES);
  t.after(() => recorder.close());
  await rename(path('flags.csv'), path('old.csv'));
  const old = await file('old.csv');
  const { problems } = await recorder.record(readingOf(three), now());
  assert.deepEqual(problems, []);
  assert.equal(await file('old.csv'), old, 'nothing is written under the other name');
  assert.equal(await file('flags.csv'), 'id,count,timestamp\na,2,2026-11-24T09:33:00.000Z\n');
  assert.equal((await recorder.datasets[0]!.content()).bytes.toString(), await file('flags.csv'));
  assert.match(lines.at(-1)!.msg, /moved or removed .* a new file begins/);
});

test('a data folder that is swapped for its copy is written on, and the one that was moved away is not', async (t) => {
  const { dataDir, open, now, lines } = await world(t, EVERYTHING);
  const recorder = await open(EVERYTHING);
  t.after(() => recorder.close());
  await rename(dataDir, `${dataDir}.old`);
  t.after(() => rm(`${dataDir}.old`, { recursive: true }));
  await cp(`${dataDir}.old`, dataDir, { recursive: true });
  for (const step of [0, 1])
    assert.deepEqual((await recorder.record(readingOf(one), now() + step * MINUTE)).problems, []);
  const lengths = async (dir: string) =>
    Promise.all(
      ['flags.csv', 'flags-log.csv', 'flags-changes.csv'].map(async (name) => {
        return (await readFile(join(dir, name), 'utf8')).split('\n').length;
      }),
    );
  assert.deepEqual(await lengths(dataDir), [4, 11, 8]);
  assert.deepEqual(await lengths(`${dataDir}.old`), [3, 7, 6]);
  assert.match(lines[0]!.msg, /replaced by a copy/);
});

test('a foreign file in the place of a log is not overwritten: each poll reports it, and changes continue', async (t) => {
  const { path, open, file, now } = await world(t, LOG_AND_CHANGES);
  const recorder = await open(LOG_AND_CHANGES);
  t.after(() => recorder.close());
  await writeFile(path('other.csv'), 'x\n');
  await rename(path('other.csv'), path('flags.csv'));
  const { problems } = await recorder.record(readingOf(one), now());
  assert.match(problems[0]!.message, /Another program replaced or removed .*flags\.csv/);
  assert.equal(await file('flags.csv'), 'x\n');
});

test('a data folder that another service took over is not written any more', async (t) => {
  const { open, file, now } = await world(t, EVERYTHING);
  const before = await Promise.all(['flags.csv', 'flags-log.csv', 'flags-changes.csv'].map(file));
  const lost = new Error('another service has it');
  const recorder = await open({ ...EVERYTHING, checkVolume: () => Promise.reject(lost) });
  t.after(() => recorder.close());
  const { problems } = await recorder.record(readingOf(one), now());
  assert.match(problems[0]!.message, /another service has it/);
  assert.deepEqual(await Promise.all(['flags.csv', 'flags-log.csv', 'flags-changes.csv'].map(file)), before);
});

test('killed anywhere, changes and log tell of the same polls', async () => {
  const kept = ALL_KEPT['a log and changes']!;
  for (let stopsAt = 0, isDone = false; !isDone; stopsAt++) {
    const disk = new VolatileDisk('/data', '/data/.dynamo-csv');
    const runs = new RecorderRuns('/data', kept);
    const files = new FaultyFiles(disk, ({ index }) => (index === stopsAt ? { stops: true } : null));
    const recorder = await runs.open(files).catch(() => null);
    for (const items of recorder === null ? [] : [one, two, three]) await runs.poll(recorder!, items);
    isDone = !files.isStopped;
    await (await runs.open(disk)).close();
    const times = async (name: string) => {
      const path = `/data/${name}.csv`;
      const rows = (await disk.stat(path)) === null ? [] : await rowsOf(await disk.readFile(path));
      return [...new Set(rows.map(({ timestamp }) => timestamp))];
    };
    assert.deepEqual(await times('flags-changes'), await times('flags'), `stopped at ${stopsAt}`);
  }
});
