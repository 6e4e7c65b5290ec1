import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Archive } from '../../src/archive/archive.js';
import { partOf } from '../../src/archive/parts.js';
import { restoreInto } from '../../src/archive/restore.js';
import { unpackDays } from '../../src/history/archived-days.js';
import { nodeFiles } from '../../src/volume/files.js';
import { archiveOnce, contents, FLEET, never, onePoint, SEALED, world, write } from './keeper-world.js';

/** The clock stands at 2026-11-24. */
const DATES = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'];
const pathOf = (date: string) => SEALED.replaceAll('2026-11-23', date);
const HISTORY = { ...FLEET, ...Object.fromEntries(DATES.map((date) => [pathOf(date), `PAR1 ${date} PAR1`])) };
const noColumns = async () => ({ columns: [], rows: 0 });

const datesIn = (found: Record<string, unknown>) =>
  Object.keys(found)
    .filter((path) => path.startsWith('history/flag-changes/'))
    .map((path) => path.slice(-18, -8));

async function pointOf(objects: Parameters<typeof Archive.find>[0]) {
  const archive = (await Archive.find(objects))!;
  return { archive, point: (await archive.latest())! };
}

test('days older than localDays leave the folder when the archive has them, and every point still names them', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir, lines } = await machine(HISTORY, undefined, { localDays: 2 });
  await keeper.prepare(never);
  const store = await keeper.store(noColumns);
  await onePoint(keeper, clock);
  assert.deepEqual(datesIn(await contents(dataDir)), ['2026-11-22', '2026-11-23']);
  assert.ok(lines.some(({ msg, days }) => msg === 'removed local copies of archived days' && days === 4));
  await write(dataDir, { 'flag.csv': 'id,state\n1,taken\n' });
  await onePoint(keeper, clock);
  const { point } = await pointOf(objects);
  assert.deepEqual(
    point.days.map(({ path }) => path),
    DATES.map(pathOf),
  );
  assert.equal(objects.keys('history/').length, DATES.length);
  assert.deepEqual(
    (await store.days('flag-changes')).map(({ date }) => date),
    DATES,
  );
  const [path = ''] = store.pathsOf('flag-changes', { date: '2026-11-18', files: ['2026-11-18.parquet'] });
  const hold = await store.hold([path]);
  assert.equal(await readFile(path, 'utf8'), 'PAR1 2026-11-18 PAR1');
  assert.equal(keeper.status.cached, 20);
  assert.equal(keeper.status.fetched, 20);
  hold.release();
});

test('a day that the archive does not hold as it was sent stays, and that is logged once', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir, lines } = await machine(HISTORY, undefined, { localDays: 2 });
  await keeper.prepare(never);
  const [lost = '', changed = ''] = DATES;
  const put = objects.put.bind(objects);
  objects.put = async (key, bytes, condition) => {
    if (key === pathOf(lost)) return 'a version';
    return put(key, key === pathOf(changed) ? Buffer.from('lies') : bytes, condition);
  };
  await onePoint(keeper, clock);
  await onePoint(keeper, clock);
  assert.deepEqual(datesIn(await contents(dataDir)), [lost, changed, '2026-11-22', '2026-11-23']);
  const errors = lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
  assert.equal(errors.length, 2);
  assert.match(errors[0]!, /2026-11-18\.parquet is missing/);
  assert.match(errors[1]!, /2026-11-19\.parquet is damaged/);
});

test('a day that is written again while days leave stays until the archive has it as it is then', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir } = await machine(HISTORY);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  await keeper.close();
  const again = await machine({}, dataDir, { localDays: 2 });
  await again.keeper.prepare(never);
  const [first = '', second = ''] = DATES;
  const get = objects.get.bind(objects);
  objects.get = async (key, signal) => {
    if (key === pathOf(second)) await write(dataDir, { [pathOf(first)]: 'PAR1 in one schema PAR1' });
    return get(key, signal);
  };
  await onePoint(again.keeper, clock);
  assert.deepEqual(datesIn(await contents(dataDir)), [first, '2026-11-22', '2026-11-23']);
  objects.get = get;
  await onePoint(again.keeper, clock);
  assert.deepEqual(datesIn(await contents(dataDir)), ['2026-11-22', '2026-11-23']);
  assert.equal((await objects.get(pathOf(first)))?.bytes.toString(), 'PAR1 in one schema PAR1');
});

test('on an empty folder days stay where they are; those of localDays are fetched afterwards, the youngest first', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(HISTORY);
  await archiveOnce(first.keeper, clock);
  const second = await machine({}, undefined, { localDays: 3 });
  await second.keeper.prepare(never);
  assert.deepEqual(datesIn(await contents(second.dataDir)), []);
  const asked: string[] = [];
  objects.before = (operation, key) => {
    if (operation === 'get' && key.startsWith('history/')) asked.push(key.slice(-18, -8));
  };
  await onePoint(second.keeper, clock);
  assert.deepEqual(asked, ['2026-11-23', '2026-11-22', '2026-11-21']);
  assert.deepEqual(datesIn(await contents(second.dataDir)), ['2026-11-21', '2026-11-22', '2026-11-23']);
  const { archive, point } = await pointOf(objects);
  assert.equal(point.days.length, DATES.length);
  const folder = join(second.dataDir, '..', 'restored');
  await restoreInto(archive, point, folder, {
    files: nodeFiles,
    signal: never,
    comesAlong: ({ path }) => path >= pathOf('2026-11-20'),
  });
  assert.deepEqual(datesIn(await contents(folder)), DATES.slice(2));
  const third = await machine({}, folder, { localDays: 9 });
  clock.advance(60_000);
  await second.keeper.close();
  await third.keeper.prepare(never);
  await onePoint(third.keeper, clock);
  assert.deepEqual(await contents(folder), HISTORY);
});

test('killed at any request while days leave and come back, no day is lost', async (t) => {
  const run = async (kill: number | null) => {
    const { objects, clock, machine } = await world(t);
    let count = 0;
    const guard = () => {
      count += 1;
      if (kill !== null && count >= kill) throw new Error('killed');
    };
    const { keeper, dataDir } = await machine(HISTORY, undefined, { localDays: 2 });
    objects.before = guard;
    await keeper.prepare(never).catch(() => undefined);
    await onePoint(keeper, clock);
    objects.before = () => {};
    objects.objects.delete('lease.json');
    // It goes on in the same folder with all days local again, and then on another machine.
    const again = await machine({}, dataDir);
    await again.keeper.prepare(never);
    await onePoint(again.keeper, clock);
    await onePoint(again.keeper, clock);
    assert.deepEqual(await contents(dataDir), HISTORY, `killed at request ${kill}`);
    await again.keeper.close();
    const other = await machine();
    await other.keeper.prepare(never);
    await onePoint(other.keeper, clock);
    assert.deepEqual(await contents(other.dataDir), HISTORY, `killed at request ${kill}`);
    return count;
  };
  const all = await run(null);
  assert.ok(all > 20);
  for (let kill = 1; kill <= all; kill += 1) await run(kill);
});

test('a day that retention removes leaves the archive, too, wherever it was', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper } = await machine(HISTORY, undefined, { localDays: 2 });
  await keeper.prepare(never);
  const store = await keeper.store(noColumns);
  await onePoint(keeper, clock);
  for (const date of ['2026-11-18', '2026-11-23']) await store.delete('flag-changes', date);
  await onePoint(keeper, clock);
  assert.deepEqual(objects.keys('history/'), DATES.map(pathOf), 'who follows may not have that point yet');
  objects.before = (operation) => {
    if (operation === 'remove') throw new Error('away');
  };
  await onePoint(keeper, clock);
  objects.before = () => {};
  await onePoint(keeper, clock);
  assert.deepEqual(objects.keys('history/'), DATES.slice(1, -1).map(pathOf));
});

test('a day that is written again just before it is listed stays', async (t) => {
  const { objects, clock, machine } = await world(t);
  const [first = '', ...others] = DATES.slice(0, -2);
  let isFirst = true;
  const files = {
    ...nodeFiles,
    rename: async (from: string, to: string) => {
      if (to.endsWith('_archived-days.json') && isFirst) {
        isFirst = false;
        await rm(join(dataDir, pathOf(first)));
        await write(dataDir, { [pathOf(first)]: 'PAR1 in one schema PAR1' });
      }
      await nodeFiles.rename(from, to);
    },
  };
  const { keeper, dataDir } = await machine(HISTORY, undefined, { localDays: 2, files });
  await keeper.prepare(never);
  const store = await keeper.store(noColumns);
  await onePoint(keeper, clock);
  assert.equal((await contents(dataDir))[pathOf(first)], 'PAR1 in one schema PAR1');
  assert.deepEqual(
    others.map((date) => store.mayLeave(join(dataDir, pathOf(date)))),
    others.map(() => true),
  );
  await onePoint(keeper, clock);
  assert.deepEqual(datesIn(await contents(dataDir)), DATES.slice(-2));
  assert.equal((await objects.get(pathOf(first)))?.bytes.toString(), 'PAR1 in one schema PAR1');
});

test('an archived day that is written again while a point is taken is in it once, as it is then', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir } = await machine(HISTORY, undefined, { localDays: 2 });
  await keeper.prepare(never);
  let onDescribed = async (_: string) => {};
  const store = await keeper.store(async (path) => {
    await onDescribed(path);
    return { columns: [], rows: 0 };
  });
  await onePoint(keeper, clock);
  const [archived = ''] = DATES;
  const day = { date: archived, files: [`${archived}.parquet`] };
  (await store.hold(store.pathsOf('flag-changes', day))).release();
  onDescribed = async () => {
    onDescribed = async () => {};
    await store.replace(
      { dataset: 'flag-changes', date: archived, name: `${archived}.parquet` },
      (path) => writeFile(path, 'PAR1 in one schema PAR1'),
      async (step) => {
        await step();
        return true;
      },
    );
  };
  await write(dataDir, { [pathOf('2026-11-17')]: 'PAR1 a late one PAR1' });
  await onePoint(keeper, clock);
  const { point } = await pointOf(objects);
  assert.deepEqual(
    point.days.map(({ path }) => path),
    ['2026-11-17', ...DATES].map(pathOf),
  );
  assert.equal(point.days[1]!.hash, partOf(Buffer.from('PAR1 in one schema PAR1')).hash);
});

test('a day that is written again, or goes, while it is archived is described as it is, and fails nothing', async (t) => {
  const { objects, clock, machine } = await world(t);
  let goes = '';
  const files = {
    ...nodeFiles,
    readFile: async (path: string) => {
      if (path.endsWith(goes) && goes !== '') await rm(path);
      return nodeFiles.readFile(path);
    },
  };
  const { keeper, dataDir } = await machine(HISTORY, undefined, { files });
  await keeper.prepare(never);
  let isFirst = true;
  const [first = '', second = ''] = DATES;
  await keeper.store(async (path) => {
    if (isFirst && path.endsWith(pathOf(first))) {
      isFirst = false;
      await rm(path);
      await write(dataDir, { [pathOf(first)]: 'PAR1 in one schema PAR1' });
      return { columns: [{ name: 'new', type: 'BIGINT', isExactInDouble: true }], rows: 1 };
    }
    return { columns: [{ name: 'column', type: 'BIGINT', isExactInDouble: true }], rows: 1 };
  });
  goes = `${second}.parquet`;
  await onePoint(keeper, clock);
  assert.equal(keeper.status.error, null);
  const { point } = await pointOf(objects);
  assert.deepEqual(
    unpackDays(point).map(({ path, columns }) => [path, columns?.[0]?.name]),
    DATES.filter((date) => date !== second).map((date) => [
      pathOf(date),
      date === first ? undefined : 'column',
    ]),
  );
});

test('what the file system keeps for itself is not archived', async (t) => {
  const { machine } = await world(t);
  const { dataDir } = await machine({ ...HISTORY, 'lost+found/#12': 'a lost file' });
  assert.deepEqual(Object.keys(await contents(dataDir)), Object.keys(HISTORY).sort());
});

test('a history that is moved to taken-over takes its archived days along', async (t) => {
  const { objects, clock, machine } = await world(t);
  const { keeper, dataDir } = await machine(HISTORY, undefined, { localDays: 2 });
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  // As the recorder does when the name is given to another source; that one's history begins on the same days.
  await rename(join(dataDir, 'history/flag-changes'), join(dataDir, 'taken-over/flag-changes'));
  await write(dataDir, { [pathOf('2026-11-18')]: 'PAR1 of another PAR1' });
  await onePoint(keeper, clock);
  const moved = (path: string) => path.replace('history/', 'taken-over/');
  const expected = {
    ...FLEET,
    ...Object.fromEntries(
      DATES.map((date) => [moved(pathOf(date)), HISTORY[pathOf(date) as keyof typeof HISTORY]]),
    ),
  };
  const { [SEALED]: _, ...others } = expected;
  const { archive, point } = await pointOf(objects);
  assert.deepEqual(
    point.days.map(({ path }) => path),
    [pathOf('2026-11-18')],
  );
  const folder = join(dataDir, '..', 'restored');
  await restoreInto(archive, point, folder, { files: nodeFiles, signal: never, comesAlong: () => true });
  assert.deepEqual(await contents(folder), { ...others, [pathOf('2026-11-18')]: 'PAR1 of another PAR1' });
});

test('a folder that is behind keeps its own days aside, and fetches none for that', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(HISTORY, undefined, { localDays: 2 });
  await archiveOnce(first.keeper, clock);
  const second = await machine({}, undefined, { localDays: 2 });
  await second.keeper.prepare(never);
  await write(second.dataDir, { 'flag.csv': 'id,state\n1,later\n' });
  await onePoint(second.keeper, clock);
  await second.keeper.close();
  const again = await machine({}, first.dataDir, { localDays: 2 });
  let gets = 0;
  objects.before = (operation, key) => {
    if (operation === 'get' && key.startsWith('history/')) gets += 1;
  };
  await again.keeper.prepare(never);
  await onePoint(again.keeper, clock);
  assert.equal(gets, 2, 'the two days of localDays');
  const [aside = ''] = (await readdir(join(first.dataDir, 'taken-over'))).filter((name) =>
    name.startsWith('behind'),
  );
  assert.deepEqual(
    await readdir(join(first.dataDir, 'taken-over', aside, 'history/flag-changes'), { recursive: false }),
    [...DATES.map((date) => `date=${date}`)],
  );
  assert.equal((await contents(first.dataDir))['flag.csv'], 'id,state\n1,later\n');
});

test('points of before columns were kept are restored', async (t) => {
  const { objects, clock, machine } = await world(t);
  const first = await machine(HISTORY);
  await archiveOnce(first.keeper, clock);
  const { archive, point } = await pointOf(objects);
  const { layouts: _, ...before } = point;
  await archive.add({ ...before, number: point.number + 1 });
  const second = await machine();
  await mkdir(second.dataDir, { recursive: true });
  await second.keeper.prepare(never);
  const store = await second.keeper.store(async () => ({
    columns: [{ name: 'id', type: 'VARCHAR', isExactInDouble: false }],
    rows: 7,
  }));
  const [path = ''] = store.pathsOf('flag-changes', { date: '2026-11-23', files: ['2026-11-23.parquet'] });
  assert.equal(store.columnsOf(path), null);
  await onePoint(second.keeper, clock);
  await onePoint(second.keeper, clock);
  const { point: last } = await pointOf(objects);
  assert.deepEqual(last.layouts, [[{ name: 'id', type: 'VARCHAR', isExactInDouble: false }]]);
  assert.deepEqual(new Set(last.days.map(({ rows }) => rows)), new Set([7]));
});
