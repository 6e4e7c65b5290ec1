import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Archive } from '../../src/archive/archive.js';
import type { ArchiveKeeper } from '../../src/archive/keeper.js';
import { LEASE_TIME, RENEWAL } from '../../src/archive/lease.js';
import { ArchivedDays } from '../../src/history/archived-days.js';
import type { HistoryStore } from '../../src/history/store.js';
import { ArchiveSupply } from '../../src/service/archive-supply.js';
import type { Service } from '../../src/service/service.js';
import { nodeFiles } from '../../src/volume/files.js';
import type { Volume } from '../../src/volume/volume.js';
import { logLines } from '../support/log-lines.js';
import { archiveOnce, contents, FLEET, never, onePoint, SEALED, world, write } from './keeper-world.js';

/** Folders that follow an archive to which another machine writes. */

const DATES = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'];
const pathOf = (date: string) => SEALED.replaceAll('2026-11-23', date);
const HISTORY = { ...FLEET, ...Object.fromEntries(DATES.map((date) => [pathOf(date), `PAR1 ${date} PAR1`])) };
/** Bytes of a day. */
const SIZE = 20;

const noColumns = async () => ({ columns: [], rows: 0 });
const follow = (keeper: ArchiveKeeper) => keeper.follow(never, (work) => work());
const pathIn = (store: HistoryStore, date: string) =>
  store.pathsOf('flag-changes', { date, files: [`${date}.parquet`] })[0]!;

/** Waits for what happens by itself. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function pair(
  t: TestContext,
  options: Parameters<Awaited<ReturnType<typeof world>>['machine']>[2] = {},
) {
  const { objects, clock, machine } = await world(t);
  const collector = await machine(HISTORY);
  await collector.keeper.prepare(never);
  await onePoint(collector.keeper, clock);
  const follower = await machine({}, undefined, options);
  /** What the collector does until its next point. */
  const next = async (files: Readonly<Record<string, string>>, ...removed: string[]) => {
    await write(collector.dataDir, files);
    for (const path of removed) await rm(join(collector.dataDir, path));
    await onePoint(collector.keeper, clock);
  };
  return { objects, clock, machine, collector, follower, next };
}

/** The same with a follower that has the first point. */
async function following(t: TestContext, options: Parameters<typeof pair>[1] = {}) {
  const both = await pair(t, options);
  const { keeper, dataDir } = both.follower;
  await follow(keeper);
  const store = await keeper.store(noColumns);
  const read = async (date: string) => {
    const path = pathIn(store, date);
    const hold = await store.hold([path]);
    try {
      return await readFile(path, 'utf8');
    } finally {
      hold.release();
    }
  };
  return { ...both, keeper, dataDir, store, read };
}

test('a day that the collector wrote again is fetched again, and a query that holds the earlier file keeps it', async (t) => {
  const { keeper, store, read, next } = await following(t);
  assert.equal(await read('2026-11-20'), 'PAR1 2026-11-20 PAR1');
  const held = pathIn(store, '2026-11-21');
  const hold = await store.hold([held]);
  await next({
    [pathOf('2026-11-20')]: 'PAR1 in one schema PAR1',
    [pathOf('2026-11-21')]: 'PAR1 wider PAR1',
  });
  await follow(keeper);
  assert.ok(!existsSync(pathIn(store, '2026-11-20')));
  assert.equal(await readFile(held, 'utf8'), 'PAR1 2026-11-21 PAR1');
  assert.equal(keeper.status.cached, 0);
  hold.release();
  assert.equal(await read('2026-11-21'), 'PAR1 wider PAR1');
  assert.equal(await read('2026-11-20'), 'PAR1 in one schema PAR1');
  // And what was held longer than the next one needs it stays as the next one has it.
  const first = await store.hold([held]);
  await next({ [pathOf('2026-11-21')]: 'PAR1 wider still PAR1' });
  await follow(keeper);
  const second = await store.hold([held]);
  first.release();
  second.release();
  assert.equal(await readFile(held, 'utf8'), 'PAR1 wider still PAR1');
});

test('a day that is written again while it is fetched comes as it is then', async (t) => {
  const { keeper, objects, store, read, next } = await following(t);
  const path = pathOf('2026-11-20');
  const get = objects.get.bind(objects);
  let isFirst = true;
  objects.get = async (key, signal) => {
    const found = await get(key, signal);
    if (key !== path || !isFirst) return found;
    isFirst = false;
    await next({ [path]: 'PAR1 in one schema PAR1' });
    await follow(keeper);
    return found;
  };
  assert.equal(await read('2026-11-20'), 'PAR1 in one schema PAR1');
  assert.equal((await store.days('flag-changes')).length, DATES.length);
});

test('days that retention removed do not fill the cache of a follower', async (t) => {
  const { keeper, read, next, store } = await following(t, { cache: 2 * SIZE });
  for (const date of DATES.slice(0, 2)) await read(date);
  assert.equal(keeper.status.cached, 2 * SIZE);
  await next({}, pathOf('2026-11-20'), pathOf('2026-11-21'));
  await follow(keeper);
  assert.equal(keeper.status.cached, 0);
  const hold = await store.hold(DATES.slice(2).map((date) => pathIn(store, date)));
  hold.release();
  assert.equal(keeper.status.cached, 2 * SIZE);
});

test('a day that retention removes while a query reads it stays until that query ends, and no other query sees it', async (t) => {
  const { keeper, store, next } = await following(t);
  const [oldest, second] = [pathIn(store, '2026-11-20'), pathIn(store, '2026-11-21')];
  const hold = await store.hold([oldest, second]);
  await next({}, pathOf('2026-11-20'), pathOf('2026-11-21'));
  await follow(keeper);
  const dates = async () => (await store.days('flag-changes')).map(({ date }) => date);
  assert.deepEqual(await dates(), DATES.slice(2));
  assert.equal(await readFile(oldest, 'utf8'), 'PAR1 2026-11-20 PAR1');
  // Another point comes meanwhile, and another query that began before.
  const other = store.tryHold([second]);
  await next({ 'flag.csv': 'id,state\n1,taken\n' });
  await follow(keeper);
  hold.release();
  await until(() => !existsSync(oldest));
  assert.equal(await readFile(second, 'utf8'), 'PAR1 2026-11-21 PAR1');
  other?.release();
  await until(() => !existsSync(second));
  assert.deepEqual(await dates(), DATES.slice(2));
});

test('a file that goes and comes back as it was is there again', async (t) => {
  const { keeper, dataDir, next } = await following(t);
  const files = { 'results/rides.csv': 'rides\n1\n' };
  await next(files);
  await follow(keeper);
  await next({}, 'results/rides.csv');
  await follow(keeper);
  assert.ok(!existsSync(join(dataDir, 'results/rides.csv')));
  await next(files);
  await follow(keeper);
  assert.equal((await contents(dataDir))['results/rides.csv'], 'rides\n1\n');
});

test('a follower that was away for hours finds the archive again, though the point after its own is gone', async (t) => {
  const { keeper, dataDir, objects, clock, next } = await following(t);
  const hours = 3 * 3_600_000;
  await next({ 'flag.csv': 'id,state\n1,taken\n' });
  await next({ 'flag.csv': 'id,state\n1,broken\n' });
  await objects.remove(['points/000000000002.json.gz']);
  await follow(keeper);
  assert.equal((await contents(dataDir))['flag.csv'], FLEET['flag.csv']);
  clock.advance(hours);
  await follow(keeper);
  assert.equal((await contents(dataDir))['flag.csv'], 'id,state\n1,broken\n');
});

test('an archive that is away at the start: the copies that the folder has are used', async (t) => {
  const { dataDir, objects, machine, read } = await following(t);
  await read('2026-11-22');
  objects.before = () => {
    throw new Error('unreachable');
  };
  const again = await machine({}, dataDir);
  await assert.rejects(follow(again.keeper));
  const store = await again.keeper.store(noColumns);
  const path = pathIn(store, '2026-11-22');
  assert.notEqual(store.tryHold([path]), null);
  assert.equal(store.tryHold([pathIn(store, '2026-11-23')]), null);
});

test('a service that collected and now follows lists its days again after its folder was moved aside', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(HISTORY, undefined, { localDays: 0 });
  await archiveOnce(first.keeper, clock);
  const again = await machine({}, first.dataDir, { localDays: 0 });
  // It has the last point, as long as nobody writes another one.
  await follow(again.keeper);
  const store = await again.keeper.store(noColumns);
  const hold = await store.hold([pathIn(store, '2026-11-20')]);
  hold.release();
  const second = await machine({}, undefined, { localDays: 0 });
  await second.keeper.prepare(never);
  await write(second.dataDir, { 'flag.csv': 'id,state\n1,taken\n' });
  await onePoint(second.keeper, clock);
  await second.keeper.close();
  await follow(again.keeper);
  assert.equal([...(await ArchivedDays.open(first.dataDir, nodeFiles))].length, DATES.length);
  assert.equal(store.tryHold([pathIn(store, '2026-11-20')]), null, 'that copy was moved with the folder');
  // It collects, as sealing begins it, and no day is lost.
  await again.keeper.prepare(never);
  await store.recover('flag-changes');
  await write(first.dataDir, { 'flag.csv': 'id,state\n1,free\n' });
  await onePoint(again.keeper, clock);
  const { days } = (await (await Archive.find(objects))!.latest())!;
  assert.deepEqual(
    days.map(({ path }) => path),
    DATES.map(pathOf),
  );
  assert.equal(objects.keys('history/').length, DATES.length);
});

test('a follower that takes over lets the days of localDays stay, and writes what it has to the archive', async (t) => {
  const { keeper, dataDir, clock, collector, read } = await following(t, { localDays: 2 });
  await read('2026-11-20');
  await collector.keeper.close();
  await keeper.prepare(never);
  await write(dataDir, { 'flag.csv': 'id,state\n1,taken\n' });
  await onePoint(keeper, clock);
  const found = Object.keys(await contents(dataDir)).filter((path) => path.endsWith('.parquet'));
  assert.deepEqual(found, ['2026-11-20', '2026-11-22', '2026-11-23'].map(pathOf));
  assert.equal(keeper.status.cached, SIZE);
});

test('who stops following writes nothing into the folder any more, though the archive does not answer', async (t) => {
  const { keeper, objects, dataDir, next } = await following(t);
  await next({ 'flag.csv': 'id,state\n1,taken\n' });
  const before = await contents(dataDir);
  const late = new AbortController();
  const write = async (work: () => Promise<void>) => {
    late.abort(new Error('it collects now'));
    await work();
  };
  await assert.rejects(
    keeper.follow(late.signal, (work) => write(work as never) as never),
    /it collects now/,
  );
  assert.ok(keeper.isWhole);
  const get = objects.get.bind(objects);
  const stopping = new AbortController();
  objects.get = (key, signal) => {
    if (!key.startsWith('objects/')) return get(key, signal);
    assert.ok(signal);
    stopping.abort(new Error('stopped'));
    return new Promise((_, reject) => reject(signal.reason));
  };
  await assert.rejects(
    keeper.follow(stopping.signal, (work) => work()),
    /stopped/,
  );
  assert.deepEqual(await contents(dataDir), before);
});

test('a folder that has a part of a point is not shown until it has the whole of it', async (t) => {
  const { keeper, objects, clock, dataDir, next } = await following(t);
  const { logger } = logLines();
  const config = { archive: { every: 60_000 } };
  const service = { clock, logger, config } as unknown as Service;
  const supply = new ArchiveSupply(service, {} as Volume, keeper);
  const shown: string[] = [];
  const look = () =>
    supply.atRest(async () => void shown.push(await readFile(join(dataDir, 'flag.csv'), 'utf8')));
  await look();
  await next({ 'flag.csv': 'id,state\n1,taken\n', 'flag-changes.csv': 'change,id,timestamp\n' });
  let left = 1;
  objects.before = (_, key) => {
    if (key.startsWith('objects/') && --left < 0) throw new Error('the line broke');
  };
  await supply.begin(never);
  await look();
  objects.before = () => {};
  await supply.begin(never);
  await look();
  assert.deepEqual(shown, [FLEET['flag.csv'], 'id,state\n1,taken\n']);
});

test('the lease is kept while a whole folder is fetched', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(HISTORY);
  await archiveOnce(first.keeper, clock);
  const second = await machine();
  const get = objects.get.bind(objects);
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  objects.get = async (key, signal) => {
    if (key.startsWith('objects/')) await arrived;
    return get(key, signal);
  };
  const preparing = second.keeper.prepare(never);
  const renewals = () => JSON.parse(objects.objects.get('lease.json')!.bytes.toString()).renewals as number;
  for (let passed = 0; passed <= LEASE_TIME; passed += RENEWAL) {
    await clock.asleep(1);
    clock.advance(RENEWAL);
  }
  await clock.asleep(1);
  assert.ok(renewals() >= LEASE_TIME / RENEWAL);
  arrive();
  await preparing;
  assert.deepEqual(second.keeper.status.error, null);
});
