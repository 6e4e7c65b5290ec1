import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sharedHistory } from '../../src/archive/archived-history.js';
import { partOf } from '../../src/archive/parts.js';
import { readArchivedDays } from '../../src/history/archived-days.js';
import type { Hold } from '../../src/history/day-files.js';
import { LocalStore } from '../../src/history/local-store.js';
import { type Files, nodeFiles } from '../../src/volume/files.js';
import { archivedDaysFile, temporaryPath } from '../../src/volume/layout.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { logLines } from '../support/log-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ArchivedHistory, type ArchivedHistoryOptions } from './archived-days.js';
import { testArchivedStore } from './archived-store-suite.js';
import { never } from './keeper-world.js';
import { MemoryObjects } from './memory-objects.js';

testArchivedStore('in memory', async () => new MemoryObjects());

const DATES = Array.from({ length: 12 }, (_, index) => `2026-11-${String(index + 1).padStart(2, '0')}`);
const SIZE = 100;

/** A log of twelve days of 100 bytes each, all in the archive only. */
async function world(t: TestContext, options: Partial<ArchivedHistoryOptions> = {}) {
  const objects = new MemoryObjects();
  const dataDir = await temporaryFolder(t);
  const history = await ArchivedHistory.open({ dataDir, objects, ...options });
  const { store } = history;
  for (const date of DATES) {
    const content = Buffer.alloc(SIZE, `${date} `);
    await store.put('log', date, (path) => writeFile(path, content));
  }
  await history.archiveAll();
  assert.deepEqual(await history.here(), []);
  const pathOf = (date: string) => store.pathsOf('log', { date, files: [`${date}.parquet`] })[0] as string;
  const read = async (date: string) => (await readFile(pathOf(date), 'utf8')).slice(0, 10);
  const datesHere = async () => (await history.here()).map((path) => path.slice(-18, -8));
  return { objects, dataDir, history, store, pathOf, read, datesHere };
}

const keyOf = (date: string) => `history/log/date=${date}/${date}.parquet`;

test('days in the archive are listed like the others, and a day is fetched once, to the place it had', async (t) => {
  const { objects, store, pathOf, read } = await world(t);
  assert.deepEqual(
    (await store.days('log')).map(({ date }) => date),
    DATES,
  );
  let gets = 0;
  objects.before = () => {
    gets += 1;
  };
  const [first = '', second = ''] = DATES;
  assert.equal(store.tryHold([pathOf(first)]), null);
  const holds = await Promise.all([
    store.hold([pathOf(first), pathOf(second)]),
    store.hold([pathOf(second)]),
  ]);
  assert.equal(gets, 2);
  assert.equal(await read(second), second);
  assert.notEqual(store.tryHold([pathOf(first)]), null);
  for (const hold of holds) hold.release();
});

test('the least recently used days leave when the cache is full, and none that is held', async (t) => {
  const { store, pathOf, datesHere } = await world(t, { limit: 3 * SIZE });
  const [a = '', b = '', c = '', d = '', e = ''] = DATES;
  const held = await store.hold([pathOf(a)]);
  (await store.hold([pathOf(b)])).release();
  (await store.hold([pathOf(c)])).release();
  store.tryHold([pathOf(b)])?.release();
  (await store.hold([pathOf(d)])).release();
  assert.deepEqual(await datesHere(), [a, b, d]);
  held.release();
  (await store.hold([pathOf(e)])).release();
  assert.deepEqual(await datesHere(), [b, d, e]);
});

test('who needs more days than the cache may have gets an error with the sizes, at once', async (t) => {
  const { store, pathOf, datesHere } = await world(t, { limit: 3 * SIZE });
  await assert.rejects(store.hold(DATES.slice(0, 4).map(pathOf)), {
    code: 'ARCHIVE_CACHE_TOO_SMALL',
    message:
      '4 archived days are needed at once, the day 2026-11-01 of "log" among them: they have 400 B, and archive.cache is 300 B',
  });
  assert.deepEqual(await datesHere(), []);
});

test('who finds the cache full of held days waits until some are released', async (t) => {
  const { store, pathOf, read, datesHere } = await world(t, { limit: 2 * SIZE });
  const [a = '', b = '', c = ''] = DATES;
  const held = await store.hold([pathOf(a), pathOf(b)]);
  const waiting = store.hold([pathOf(c)]);
  const leaving = new AbortController();
  const impatient = store.hold([pathOf(c)], leaving.signal);
  leaving.abort(new Error('gone'));
  await assert.rejects(impatient, /gone/);
  assert.deepEqual(await datesHere(), [a, b]);
  held.release();
  (await waiting).release();
  assert.equal(await read(c), c);
});

test('several days are fetched at once, but not all', async (t) => {
  const { objects, store, pathOf } = await world(t);
  const get = objects.get.bind(objects);
  let running = 0;
  let most = 0;
  objects.get = async (key) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    return get(key);
  };
  (await store.hold(DATES.map(pathOf))).release();
  assert.equal(most, 6);
});

test('a request for a day that nobody waits for any more ends', async (t) => {
  const { objects, store, pathOf, read } = await world(t);
  const [a = ''] = DATES;
  const get = objects.get.bind(objects);
  const asked = new Promise<AbortSignal>((resolve) => {
    objects.get = (_key, signal) =>
      new Promise((_, reject) => {
        resolve(signal as AbortSignal);
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const waits = [first, second].map(({ signal }) => store.hold([pathOf(a)], signal));
  const request = await asked;
  first.abort(new Error('gone'));
  await assert.rejects(waits[0] as Promise<unknown>, /gone/);
  assert.equal(request.aborted, false);
  second.abort(new Error('gone, too'));
  await assert.rejects(waits[1] as Promise<unknown>, /gone, too/);
  assert.equal(request.aborted, true);
  objects.get = get;
  (await store.hold([pathOf(a)])).release();
  assert.equal(await read(a), a);
});

test('a day that the archive lost, changed or does not give is an error that names it; the others are fetched', async (t) => {
  const { objects, store, pathOf, read, datesHere } = await world(t);
  const [lost = '', changed = '', other = ''] = DATES;
  objects.objects.delete(keyOf(lost));
  objects.objects.get(keyOf(changed))!.bytes.write('X', 3);
  await assert.rejects(store.hold([pathOf(lost)]), {
    code: 'DAY_NOT_FETCHED',
    status: 500,
    message: `The day ${lost} of "log" cannot be fetched: memory://archive/${keyOf(lost)} is missing`,
  });
  await assert.rejects(store.hold([pathOf(changed), pathOf(other)]), {
    message: new RegExp(`^The day ${changed} of "log" cannot be fetched: .* is damaged`),
  });
  assert.ok(!(await datesHere()).includes(changed), 'wrong bytes are never written');
  (await store.hold([pathOf(other)])).release();
  assert.equal(await read(other), other);
  const [away = ''] = DATES.slice(5);
  objects.away = new Error('the bucket is away');
  await assert.rejects(store.hold([pathOf(away)]), {
    status: 503,
    message: /2026-11-06.*the bucket is away/,
  });
  assert.notEqual(store.tryHold([pathOf(other)]), null, 'what is here needs no bucket');
  objects.away = null;
  (await store.hold([pathOf(away)])).release();
});

test('a full disk is an error that names the day, and leaves nothing half', async (t) => {
  let isFull = false;
  const files = new FaultyFiles(nodeFiles, ({ name }) =>
    isFull && name === 'write' ? { fails: 'ENOSPC', part: 0.5 } : null,
  );
  const { store, pathOf, read } = await world(t, { files });
  const [a = ''] = DATES;
  isFull = true;
  await assert.rejects(store.hold([pathOf(a)]), { code: 'DAY_NOT_FETCHED', message: /2026-11-01.*ENOSPC/ });
  await assert.rejects(readFile(temporaryPath(pathOf(a))), { code: 'ENOENT' });
  isFull = false;
  (await store.hold([pathOf(a)])).release();
  assert.equal(await read(a), a);
});

test('a damaged copy is fetched again, and what was archived damaged is set aside', async (t) => {
  const { history, store, pathOf, read } = await world(t);
  const [a = '', b = ''] = DATES;
  (await store.hold([pathOf(a), pathOf(b)])).release();
  await writeFile(pathOf(a), 'rot');
  assert.equal(await store.discard(pathOf(a)), true);
  (await store.hold([pathOf(a)])).release();
  assert.equal(await read(a), a);
  assert.equal(await store.discard(pathOf(b)), false);
  assert.match((await store.setAside('log', b, `${b}.parquet`)) as string, /damaged/);
  assert.equal(history.days.get(keyOf(b)), undefined);
});

test('copies outlive a restart, the oldest leave first, and leftovers of a fetch are removed', async (t) => {
  const { objects, dataDir, store, pathOf, datesHere } = await world(t);
  const [a = '', b = '', c = ''] = DATES;
  for (const date of [b, a, c]) {
    (await store.hold([pathOf(date)])).release();
    // File systems tell times apart by milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await writeFile(temporaryPath(pathOf(a)), 'half');
  const again = await ArchivedHistory.open({ dataDir, objects, limit: 2 * SIZE });
  await again.store.recover('log');
  assert.deepEqual(await datesHere(), [a, c]);
  assert.equal(again.cache.bytes, 2 * SIZE);
  await assert.rejects(readFile(temporaryPath(pathOf(a))), { code: 'ENOENT' });
});

test('killed at any operation while days are archived, fetched, evicted or brought back, no day is lost', async (t) => {
  const run = async (stopAt: number | null) => {
    const objects = new MemoryObjects();
    const dataDir = await temporaryFolder(t);
    const before = new LocalStore(dataDir, nodeFiles);
    const [a = '', b = '', c = ''] = DATES;
    for (const date of [a, b, c]) await before.put('log', date, (path) => writeFile(path, date.repeat(10)));
    const killed = new AbortController();
    const files = new FaultyFiles(nodeFiles, ({ index }) => {
      if (index !== stopAt) return null;
      setImmediate(() => killed.abort(new Error('killed')));
      return { stops: true };
    });
    const work = async () => {
      const history = await ArchivedHistory.open({ dataDir, objects, files, limit: 200 });
      await history.store.recover('log');
      await history.archiveAll();
      const paths = [a, b, c].map(
        (date) => history.store.pathsOf('log', { date, files: [`${date}.parquet`] })[0]!,
      );
      for (const path of paths) (await history.store.hold([path], killed.signal)).release();
      const day = history.days.get(keyOf(b))!;
      await history.cache.keep([day], killed.signal);
    };
    // Stopped files reject for ever, as after a kill.
    await work().catch(() => undefined);
    const after = await ArchivedHistory.open({ dataDir, objects });
    await after.store.recover('log');
    const found: string[] = [];
    for (const day of await after.store.days('log')) {
      const paths = after.store.pathsOf('log', day);
      (await after.store.hold(paths)).release();
      for (const path of paths) found.push(await readFile(path, 'utf8'));
    }
    assert.deepEqual(
      found,
      [a, b, c].map((date) => date.repeat(10)),
      `stopped at operation ${stopAt}`,
    );
    await rm(dataDir, { recursive: true });
    return files.operations.length;
  };
  const all = await run(null);
  assert.ok(all > 40);
  for (let stopAt = 0; stopAt < all; stopAt += 1) await run(stopAt);
});

test('without an archive in the configuration its days are named as ones that cannot be reached', async (t) => {
  const { dataDir, store, pathOf } = await world(t);
  const [a = '', ...others] = DATES;
  (await store.hold([pathOf(a)])).release();
  const local = new LocalStore(dataDir, nodeFiles);
  assert.deepEqual(
    (await local.unreachableDays('log')).map(({ date }) => date),
    others,
  );
  assert.deepEqual(
    (await local.days('log')).map(({ date }) => date),
    [a],
  );
  await rm(join(dataDir, 'history', 'log', '_archived-days.json'));
  assert.deepEqual(await local.unreachableDays('log'), []);
});

test('who need the same days at the same time wait for them together, not for each other', async (t) => {
  const { store, pathOf, datesHere } = await world(t, { limit: 3 * SIZE });
  const [a = '', b = '', ...others] = DATES;
  for (const date of others.slice(0, 3)) (await store.hold([pathOf(date)])).release();
  // There is room for them once, after others have left.
  const both = await Promise.all([store.hold([a, b].map(pathOf)), store.hold([a, b].map(pathOf))]);
  assert.deepEqual((await datesHere()).slice(0, 2), [a, b]);
  for (const hold of both) hold.release();
});

test('who waits for room holds nothing, so that another one may have it', async (t) => {
  const { store, pathOf, read } = await world(t, { limit: 2.5 * SIZE });
  const [a = '', b = '', c = '', d = ''] = DATES;
  for (const date of [a, c]) (await store.hold([pathOf(date)])).release();
  // Each has one of its days here, and there is room for two.
  const waiting = [store.hold([a, b].map(pathOf)), store.hold([c, d].map(pathOf))];
  for (const hold of waiting) (await hold).release();
  assert.equal(await read(d), d);
});

/** Calls `onCall` after each call of that operation. */
function files(name: 'list' | 'rename', onCall: (path: string) => Promise<void>): Files {
  const after =
    <A extends readonly string[], R>(work: (...paths: A) => Promise<R>) =>
    async (...paths: A) => {
      const result = await work(...paths);
      await onCall(paths.at(-1)!);
      return result;
    };
  return name === 'list'
    ? { ...nodeFiles, list: after(nodeFiles.list) }
    : { ...nodeFiles, rename: after(nodeFiles.rename) };
}

test('a day that comes back while the days are listed is one of them', async (t) => {
  const [a = ''] = DATES;
  let onListed = async (_: string) => {};
  const { history, store } = await world(t, { files: files('list', (path) => onListed(path)) });
  onListed = async (path) => {
    if (!path.endsWith(`date=${a}`)) return;
    onListed = async () => {};
    await history.cache.keep([history.days.get(keyOf(a))!], never);
  };
  const dates = async () => (await store.days('log')).map(({ date }) => date);
  assert.deepEqual(await dates(), DATES);
  assert.equal(history.days.get(keyOf(a)), undefined, 'it came back');
  assert.deepEqual(await dates(), DATES);
});

test('who needs a day as it was written again does not get the earlier one that is being put there', async (t) => {
  const [a = ''] = DATES;
  let onRenamed = async (_: string) => {};
  const { history, objects, store, pathOf } = await world(t, {
    files: files('rename', (path) => onRenamed(path)),
  });
  const again = Buffer.alloc(SIZE, 'again');
  let second: Promise<Hold> | null = null;
  onRenamed = async (path) => {
    if (path !== pathOf(a)) return;
    onRenamed = async () => {};
    objects.objects.set(keyOf(a), { bytes: again, modifiedAt: 0 });
    await history.days.add([{ path: keyOf(a), ...partOf(again), columns: null }]);
    second = store.hold([pathOf(a)]);
    await new Promise(setImmediate);
  };
  const first = await store.hold([pathOf(a)]);
  await second;
  assert.equal((await readFile(pathOf(a))).compare(again), 0);
  first.release();
});

test('a day comes back as the archive has it, though its copy has rotted', async (t) => {
  const { history, store, pathOf, read } = await world(t);
  const [a = ''] = DATES;
  (await store.hold([pathOf(a)])).release();
  await writeFile(pathOf(a), Buffer.alloc(SIZE, 'rot'));
  await history.cache.keep([history.days.get(keyOf(a))!], never);
  assert.equal(await read(a), a);
  assert.equal(history.days.get(keyOf(a)), undefined);
});

test('a list of archived days that is removed while it is looked at names none', async (t) => {
  const { dataDir } = await world(t);
  const path = archivedDaysFile(dataDir, 'log');
  assert.equal((await readArchivedDays(nodeFiles, path)).length, DATES.length);
  const files = {
    ...nodeFiles,
    readFile: async (path: string) => {
      await rm(path);
      return nodeFiles.readFile(path);
    },
  };
  assert.deepEqual(await readArchivedDays(files, path), []);
});

test('a day that has left a shared folder was no damaged copy of the one who follows there', async (t) => {
  const { objects, dataDir, history } = await world(t);
  const [a = ''] = DATES;
  const own = await temporaryFolder(t);
  const { logger } = logLines();
  const { store } = sharedHistory({ objects, dataDir, files: nodeFiles, cache: 1e6, logger }, own);
  const [day] = await store.days('log');
  const [copy = ''] = store.pathsOf('log', day!);
  assert.equal(copy, join(own, keyOf(a)));
  // Where it was when somebody began to read it.
  assert.equal(await store.discard(join(dataDir, keyOf(a))), false);
  (await store.hold([copy])).release();
  await writeFile(copy, 'rot');
  assert.equal(await store.discard(copy), true);
  assert.deepEqual(await history.here(), []);
});
