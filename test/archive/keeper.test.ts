import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Archive } from '../../src/archive/archive.js';
import { LEASE_TIME } from '../../src/archive/lease.js';
import { restorePoint } from '../../src/archive/restore.js';
import type { ArchivedTable } from '../../src/archive/take-point.js';
import { verifyPoint } from '../../src/archive/verify.js';
import { nodeFiles } from '../../src/volume/files.js';
import { archiveFile } from '../../src/volume/layout.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { archiveOnce, contents, FLEET, never, onePoint, SEALED, world, write } from './keeper-world.js';

test('a machine with an empty folder goes on from the archive', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(FLEET);
  await first.keeper.prepare(never);
  await onePoint(first.keeper, clock);
  assert.equal(first.keeper.status.error, null);
  await first.keeper.close();

  const second = await machine();
  await second.keeper.prepare(never);
  const { [SEALED]: _, ...unsealed } = FLEET;
  assert.deepEqual(await contents(second.dataDir), unsealed, 'sealed days stay where they are');
  assert.equal(second.lines.at(-1)!.msg, 'writing to the archive');
  await onePoint(second.keeper, clock);
  assert.deepEqual(await contents(second.dataDir), FLEET, 'and are fetched afterwards');
  // Sealed days are where other engines look for them.
  assert.equal(
    objects.objects.get('history/flag-changes/date=2026-11-23/2026-11-23.parquet')!.bytes.toString(),
    'PAR1 a day PAR1',
  );
});

test('a point is taken when something changed, and only what changed is sent', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir } = await machine(FLEET);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  const before = objects.keys();
  await onePoint(keeper, clock);
  assert.deepEqual(objects.keys(), before);
  await write(dataDir, { 'flag.csv': 'id,state\n1,taken\n' });
  await onePoint(keeper, clock);
  const added = objects.keys().filter((key) => !before.includes(key));
  assert.deepEqual(
    added.map((key) => key.split('/')[0]),
    ['objects', 'points'],
  );
});

test('a table is archived as it is between two polls, and not held up while it is sent', async (t) => {
  const { objects, clock, machine } = await world(t);
  let isResting = false;
  const dataDir = join(await temporaryFolder(t), 'data');
  const table: ArchivedTable = {
    async atRest(work) {
      isResting = true;
      const result = await work([join(dataDir, 'a.csv'), join(dataDir, '.dynamo-csv/a.json')]);
      isResting = false;
      // The next poll, before anything was sent.
      await rm(join(dataDir, 'a.csv'));
      await write(dataDir, { 'a.csv': 'two', '.dynamo-csv/a.json': 'two' });
      return result;
    },
  };
  const files = { 'a.csv': 'one', '.dynamo-csv/a.json': 'one' };
  const { keeper } = await machine(files, dataDir, { tables: () => [table] });
  objects.before = () => assert.equal(isResting, false);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  const archive = (await Archive.find(objects))!;
  const point = (await archive.latest())!;
  const csv = point.files.find(({ path }) => path === 'a.csv')!;
  assert.equal((await archive.part(csv.parts[0]!)).toString(), 'one');
});

test('a killed service goes on in its folder, at whatever request it was killed', async (t) => {
  const requests = async (kill: number | null) => {
    const { objects, clock, machine } = await world(t);
    const { keeper, dataDir } = await machine(FLEET);
    let count = 0;
    objects.before = () => {
      count += 1;
      if (kill !== null && count >= kill) throw new Error('killed');
    };
    await keeper.prepare(never).catch(() => undefined);
    await onePoint(keeper, clock).catch(() => undefined);
    objects.before = () => {};
    // Dead: it neither renews nor releases its lease.
    await write(dataDir, { 'flag.csv': 'id,state\n1,taken\n' });
    const next = await machine({}, dataDir);
    const preparing = next.keeper.prepare(never);
    const stop = new AbortController();
    const ticking = (async () => {
      while (!stop.signal.aborted) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await preparing;
    stop.abort();
    await ticking;
    assert.equal((await contents(dataDir))['flag.csv'], 'id,state\n1,taken\n', `killed at request ${kill}`);
    assert.ok(!(await readdir(join(dataDir, 'taken-over'))).some((name) => name.startsWith('behind')));
    await onePoint(next.keeper, clock);
    assert.equal(next.keeper.status.error, null, `killed at request ${kill}`);
    return count;
  };
  const all = await requests(null);
  assert.ok(all > 10);
  for (let kill = 1; kill <= all; kill += 1) await requests(kill);
});

test('a folder that is behind gets what the archive has, and keeps its own aside', async (t) => {
  const { clock, machine } = await world(t);
  const first = await machine(FLEET);
  await archiveOnce(first.keeper, clock);
  const second = await machine();
  await second.keeper.prepare(never);
  await write(second.dataDir, { 'flag.csv': 'id,state\n1,later\n' });
  await onePoint(second.keeper, clock);
  await second.keeper.close();
  // The first machine is back, with a poll that no point has.
  await write(first.dataDir, { 'flag.csv': 'id,state\n1,forked\n' });
  const again = await machine({}, first.dataDir);
  await again.keeper.prepare(never);
  const found = await contents(first.dataDir);
  assert.equal(found['flag.csv'], 'id,state\n1,later\n');
  const kept = Object.keys(found).find((path) => /^taken-over\/behind-.*\/flag\.csv$/.test(path))!;
  assert.equal(found[kept], 'id,state\n1,forked\n');
});

test('a folder that belongs to another archive is refused, with both named and what to do', async (t) => {
  const there = await world(t);
  const first = await there.machine(FLEET);
  await archiveOnce(first.keeper, there.clock);

  const elsewhere = await world(t);
  const moved = await elsewhere.machine({}, first.dataDir);
  const named =
    /belongs to the archive at memory:\/\/archive\/ \([-\da-f]+\), and the configuration names memory:/;
  const error = { code: 'ARCHIVE_OTHER_HISTORY', message: named };
  const remove = `remove ${archiveFile(first.dataDir)} to begin a new archive with this folder`;
  const begin = `correct archive.bucket or archive.prefix, or ${remove}`;
  await assert.rejects(moved.keeper.prepare(never), { ...error, remedy: begin });
  assert.deepEqual(elsewhere.objects.keys(), [], 'nothing is begun there by mistake');

  // What the message says helps, also after another history came there.
  const other = await elsewhere.machine({ 'orders.csv': 'id\n1\n' });
  await other.keeper.prepare(never);
  await onePoint(other.keeper, elsewhere.clock);
  await other.keeper.close();
  const again = await elsewhere.machine({}, first.dataDir);
  const remedy = /^correct archive\.bucket or archive\.prefix, or start with an empty data folder/;
  await assert.rejects(again.keeper.prepare(never), { ...error, remedy });
  const empty = await world(t);
  await rm(archiveFile(first.dataDir));
  const begun = await empty.machine({}, first.dataDir);
  await begun.keeper.prepare(never);
  await onePoint(begun.keeper, empty.clock);
  assert.equal(empty.objects.keys('points/').length, 1);
});

test('a new archive is not begun with a folder of which days are in another archive only', async (t) => {
  const there = await world(t);
  const first = await there.machine(FLEET, undefined, { localDays: 0 });
  await archiveOnce(first.keeper, there.clock);
  await rm(archiveFile(first.dataDir));
  const elsewhere = await world(t);
  const moved = await elsewhere.machine({}, first.dataDir);
  await assert.rejects(moved.keeper.prepare(never), {
    code: 'ARCHIVE_OTHER_HISTORY',
    message: new RegExp(`the folder has days in another archive only, such as ${SEALED}`),
  });
});

test('two histories that are not one are refused, with both named', async (t) => {
  const { clock, machine } = await world(t);
  const first = await machine(FLEET);
  await archiveOnce(first.keeper, clock);
  const stranger = await machine({ 'orders.csv': 'id\n1\n' });
  await assert.rejects(stranger.keeper.prepare(never), {
    code: 'ARCHIVE_OTHER_HISTORY',
    message: new RegExp(`${stranger.dataDir} and the archive memory://archive/ do not belong together`),
  });
  assert.deepEqual(await contents(stranger.dataDir), { 'orders.csv': 'id\n1\n' });
});

test('a second service is refused while the first one writes', async (t) => {
  const { clock, machine } = await world(t);
  const first = await machine(FLEET);
  await first.keeper.prepare(never);
  const stopping = new AbortController();
  const running = first.keeper.run(stopping.signal);
  const second = await machine();
  const refused = assert.rejects(second.keeper.prepare(never), {
    code: 'ARCHIVE_HELD',
    message: /machine 1/,
  });
  for (let passed = 0; passed < LEASE_TIME; passed += 1_000) {
    await clock.asleep(3);
    clock.advance(1_000);
  }
  await refused;
  stopping.abort();
  await running;
});

test('an archive that is away is a state with an age: data is served and archived later', async (t) => {
  const { objects, clock, machine } = await world(t);
  objects.away = Object.assign(new Error('the bucket is away'), { code: 'AWS_UNREACHABLE' });
  const { keeper, lines } = await machine(FLEET);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  await onePoint(keeper, clock);
  assert.equal(keeper.status.error!.message, 'the bucket is away');
  assert.equal(keeper.status.archivedAt, null);
  assert.equal(lines.filter(({ msg }) => /the bucket is away/.test(msg)).length, 1);
  objects.away = null;
  await onePoint(keeper, clock);
  assert.equal(keeper.status.error, null);
  assert.equal(keeper.status.archivedAt, clock.now());
});

test('an empty folder is not taken for the history while the archive is away', async (t) => {
  const { objects, machine } = await world(t);
  objects.away = new Error('the bucket is away');
  const { keeper } = await machine();
  await assert.rejects(keeper.prepare(never), /the bucket is away/);
});

test('a lost or changed object is found by verify, and restored from no point', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper } = await machine(FLEET);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  const archive = (await Archive.find(objects))!;
  const point = (await archive.latest())!;
  assert.deepEqual(await verifyPoint(archive, point, { signal: never }), []);
  const [part] = objects.keys('objects/');
  const [day] = objects.keys('history/');
  objects.objects.delete(part!);
  objects.objects.get(day!)!.bytes.write('X', 3);
  const errors = await verifyPoint(archive, point, { signal: never });
  assert.equal(errors.length, 2);
  assert.ok(errors[0]!.message.includes(`${part} is missing`));
  assert.ok(errors[1]!.message.includes(`${day} is damaged`));
  const to = join(await temporaryFolder(t), 'restored');
  await assert.rejects(
    restorePoint(archive, point, to, { files: nodeFiles, signal: never, comesAlong: () => true }),
    {
      code: 'ARCHIVE_DAMAGED',
    },
  );
});

test('a restore that broke off continues', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper } = await machine(FLEET);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  await keeper.close();
  const { keeper: second, dataDir } = await machine();
  let left = 8;
  objects.before = () => {
    left -= 1;
    if (left < 0) throw new Error('the line broke');
  };
  await assert.rejects(second.prepare(never), /the line broke/);
  assert.notDeepEqual(await contents(dataDir), FLEET);
  objects.before = () => {};
  objects.objects.delete('lease.json');
  const third = await machine({}, dataDir);
  await third.keeper.prepare(never);
  await onePoint(third.keeper, clock);
  assert.deepEqual(await contents(dataDir), FLEET);
});

test('a day that was written again takes its place, and points that name the earlier file can be restored', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir } = await machine(FLEET);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  const day = 'history/flag-changes/date=2026-11-23/2026-11-23.parquet';
  // Replaced as it is on the disk: under another inode.
  await rm(join(dataDir, day));
  await write(dataDir, { [day]: 'PAR1 the same rows in other columns PAR1' });
  // Killed after the day was replaced in the archive, and before the point that names it.
  objects.before = (request, key) => {
    if (request === 'put' && key.startsWith('points/')) throw new Error('away');
  };
  await onePoint(keeper, clock);
  objects.before = () => undefined;
  assert.match(objects.objects.get(day)!.bytes.toString(), /other columns/);
  const archive = (await Archive.find(objects))!;
  const restored = async (number: number) => {
    const point = await archive.point(number);
    assert.deepEqual(await verifyPoint(archive, point, { signal: never }), []);
    const folder = join(await temporaryFolder(t), 'restored');
    await mkdir(folder);
    await restorePoint(archive, point, folder, { files: nodeFiles, signal: never, comesAlong: () => true });
    return readFile(join(folder, day), 'utf8');
  };
  assert.equal(await restored(1), 'PAR1 a day PAR1');
  await onePoint(keeper, clock);
  assert.equal(await restored(2), 'PAR1 the same rows in other columns PAR1');
  assert.equal(await restored(1), 'PAR1 a day PAR1');
  // The copy stays while a kept point names it.
  clock.advance(2 * 86_400_000);
  await onePoint(keeper, clock);
  assert.equal(await restored(1), 'PAR1 a day PAR1');
});
