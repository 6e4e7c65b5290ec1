import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Arena, type Attack, NotHere } from '../attack.js';
import { type Answer, type HostileTable, honestly } from '../endpoint.js';
import {
  type Ground,
  health,
  NEIGHBOUR,
  neighbourIsPolled,
  PATIENCE,
  prepare,
  Watch,
  within,
} from '../ground.js';
import { checkChanges, checkLog, itemsOfScan, plainItemsOfScan, type Row } from '../truth.js';

const CONFIG = `tables:
  ${NEIGHBOUR}
  both: { log: true, changes: true, interval: 200ms }
`;

/** A small disk of its own; needs root. */
async function smallDisk(arena: Arena, folder: string, options: string): Promise<string> {
  const disk = join(folder, 'disk');
  await mkdir(disk);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
  if (status !== 0) throw new NotHere('needs permission to mount a tmpfs');
  arena.after(() => spawnSync('umount', ['--lazy', disk]));
  return join(disk, 'data');
}

/** `items`: a layout that changes makes the service write its files anew, which hides what was done to them. */
async function begin(arena: Arena, items = itemsOfScan): Promise<Ground> {
  const ground = await prepare(arena);
  ground.database.table('both', items);
  return ground;
}

const isPersisted = async (url: string) => (await health(url)).datasets.every(({ persisted }) => persisted);

/** Whole polls in log and changes, read after the service has ended. */
async function checkFiles(dataDir: string): Promise<{ logged: number; changed: number }> {
  const rows = async (name: string) =>
    parse(await readFile(join(dataDir, `${name}.csv`)), { columns: true, relax_column_count: true }) as Row[];
  return {
    logged: checkLog(await rows('both')),
    changed: checkChanges(await rows('both-changes')).length,
  };
}

/** Bytes of a file; 0 where there is none. */
async function sizeOf(path: string): Promise<number> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  return size;
}

/** Waits until that file has a few polls more than now. */
async function grows(path: string): Promise<void> {
  const wanted = (await sizeOf(path)) + 1_000;
  await within(PATIENCE, `${path} goes on`, async () => (await sizeOf(path)) >= wanted);
}

/** Writing fails for a while: fresh rows are served, `/healthz` says that they are not persisted, and writing resumes. */
async function withoutRoom(ground: Ground, dataDir: string, take: () => Promise<() => Promise<unknown>>) {
  const service = await ground.start({ config: CONFIG, dataDir });
  const url = await service.url;
  await neighbourIsPolled(url, ground.neighbour);
  await grows(join(dataDir, 'both.csv'));
  const watch = new Watch(url, service.process.pid!);
  const giveBack = await take();
  await within(PATIENCE, '/healthz says that polls are not persisted', async () => !(await isPersisted(url)));
  await neighbourIsPolled(url, ground.neighbour);
  await giveBack();
  await within(6 * PATIENCE, 'polls are on disk again', () => isPersisted(url));
  await grows(join(dataDir, 'both.csv'));
  const seen = await watch.stop();
  assert.deepEqual(await service.end(), { code: 0, signal: null });
  return { ...(await checkFiles(dataDir)), ...seen };
}

const diskFull: Attack = {
  name: 'a disk that is full for a while',
  run: async (arena) => {
    const ground = await begin(arena);
    const dataDir = await smallDisk(arena, ground.folder, 'size=2m');
    return withoutRoom(ground, dataDir, async () => {
      const filler = join(dataDir, '..', 'filler');
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']);
      return () => rm(filler);
    });
  },
};

const inodesGone: Attack = {
  name: 'a disk whose inodes are gone for a while',
  run: async (arena) => {
    const ground = await begin(arena);
    const dataDir = await smallDisk(arena, ground.folder, 'size=8m,nr_inodes=40');
    return withoutRoom(ground, dataDir, async () => {
      const filler = join(dataDir, '..', 'filler');
      await mkdir(filler);
      spawnSync('sh', ['-c', 'i=0; while : > "$1/$i" 2>/dev/null; do i=$((i+1)); done', 'sh', filler]);
      return () => rm(filler, { recursive: true });
    });
  },
};

const sizeLimit: Attack = {
  name: 'a limit of the size of files, lifted later',
  run: async (arena) => {
    if (spawnSync('prlimit', ['--version']).error !== undefined) throw new NotHere('needs prlimit');
    const ground = await begin(arena);
    const dataDir = join(ground.folder, 'data');
    const service = await ground.start({ config: CONFIG, dataDir });
    const url = await service.url;
    const log = join(dataDir, 'both.csv');
    await within(PATIENCE, 'polls are on disk', async () => (await sizeOf(log)) > 3_000);
    const limit = (bytes: string) =>
      assert.equal(
        spawnSync('prlimit', ['--pid', String(service.process.pid), `--fsize=${bytes}:`]).status,
        0,
      );
    const watch = new Watch(url, service.process.pid!);
    limit('3000');
    await within(
      PATIENCE,
      '/healthz says that polls are not persisted',
      async () => !(await isPersisted(url)),
    );
    await neighbourIsPolled(url, ground.neighbour);
    limit('unlimited');
    await within(6 * PATIENCE, 'polls are on disk again', () => isPersisted(url));
    const seen = await watch.stop();
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    return { ...(await checkFiles(dataDir)), ...seen };
  },
};

/** Does something between two polls of the table: while a Scan of it is not answered. */
async function betweenPolls(table: HostileTable, step: () => Promise<unknown>): Promise<void> {
  const scan = await new Promise<Parameters<Answer>>((begun) => {
    table.answer = (...asked) => begun(asked);
  });
  await step();
  table.answer = honestly;
  honestly(...scan);
}

/** The copy is locked and written from then on, the folder that was moved away is not. */
const swapped: Attack = {
  name: 'a data folder that is swapped for a copy',
  run: async (arena) => {
    const ground = await begin(arena, plainItemsOfScan);
    const dataDir = join(ground.folder, 'data');
    const service = await ground.start({ config: CONFIG, dataDir });
    await service.url;
    await grows(join(dataDir, 'both.csv'));
    await betweenPolls(ground.tables.at(-1)!, async () => {
      await cp(dataDir, `${dataDir}.copy`, { recursive: true });
      await rename(dataDir, `${dataDir}.old`);
      await rename(`${dataDir}.copy`, dataDir);
    });
    const before = await sizeOf(join(`${dataDir}.old`, 'both.csv'));
    await grows(join(dataDir, 'both.csv'));
    const second = await ground.start({ config: CONFIG, dataDir });
    await assert.rejects(second.url, /VOLUME_HELD/, 'a second service on the same path');
    assert.equal(await sizeOf(join(`${dataDir}.old`, 'both.csv')), before, 'the folder that was moved away');
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    await checkFiles(`${dataDir}.old`);
    return await checkFiles(dataDir);
  },
};

const renamed: Attack = {
  name: 'a log that is renamed under the service',
  run: async (arena) => {
    const ground = await begin(arena, plainItemsOfScan);
    const dataDir = join(ground.folder, 'data');
    const service = await ground.start({ config: CONFIG, dataDir });
    await service.url;
    const log = join(dataDir, 'both.csv');
    await grows(log);
    await betweenPolls(ground.tables.at(-1)!, () => rename(log, join(dataDir, 'old.csv')));
    const before = await sizeOf(join(dataDir, 'old.csv'));
    await grows(log);
    assert.equal(await sizeOf(join(dataDir, 'old.csv')), before, 'the log under its new name');
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    return await checkFiles(dataDir);
  },
};

export const diskAttacks: readonly Attack[] = [diskFull, inodesGone, sizeLimit, swapped, renamed];
