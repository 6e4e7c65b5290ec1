import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { archivedPaths } from '../../src/archive/folder.js';
import { ArchiveKeeper, type KeeperOptions } from '../../src/archive/keeper.js';
import { LocalDays } from '../../src/base/local-days.js';
import { nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { MemoryObjects } from './memory-objects.js';

export const EVERY = 60_000;
/** A signal that never aborts. */
export const never = new AbortController().signal;

export const SEALED = 'history/flag-changes/date=2026-11-23/2026-11-23.parquet';
export const FLEET = {
  '.dynamo-csv/flag.json': '{"format":1}',
  'flag.csv': 'id,state\n1,free\n',
  'flag-changes.csv': 'change,id,timestamp\ninsert,1,2026-11-24T10:00:00.000Z\n',
  'history/time-zone': 'UTC\n',
  [SEALED]: 'PAR1 a day PAR1',
  'taken-over/flag.csv': 'id\n',
};

/** Writes files by their paths relative to a folder. */
export async function write(dataDir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dataDir, path)), { recursive: true });
    await writeFile(join(dataDir, path), text);
  }
}

/** The archived files of a folder. */
export async function contents(dataDir: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of await archivedPaths(dataDir)) found[path] = await readFile(join(dataDir, path), 'utf8');
  return found;
}

/** An archive in memory, a clock, and machines with a keeper each. */
export async function world(t: TestContext) {
  const objects = new MemoryObjects();
  const clock = new ManualClock('2026-11-24T10:00:00Z');
  objects.now = () => clock.now();
  const folders = await temporaryFolder(t);
  let count = 0;
  const machine = async (
    files: Readonly<Record<string, string>> = {},
    dataDir = join(folders, `data-${++count}`),
    options: Partial<Pick<KeeperOptions, 'tables' | 'localDays' | 'cache' | 'files'>> = {},
  ) => {
    await mkdir(dataDir, { recursive: true });
    await write(dataDir, files);
    const { logger, lines } = logLines();
    const holder = { name: `machine ${count}`, token: String(Math.random()) };
    const keeper = new ArchiveKeeper({
      objects,
      dataDir,
      files: nodeFiles,
      holder,
      every: EVERY,
      localDays: null,
      cache: 1 << 20,
      localDates: new LocalDays('UTC'),
      clock,
      logger,
      tables: () => [],
      ...options,
    });
    return { keeper, dataDir, lines };
  };
  return { objects, clock, machine };
}

/** Writes the folder of a machine into the archive, and ends there. */
export async function archiveOnce(keeper: ArchiveKeeper, clock: ManualClock): Promise<void> {
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  await keeper.close();
}

/** Runs the keeper until it has tried once more, and stops it. */
export async function onePoint(keeper: ArchiveKeeper, clock: ManualClock): Promise<void> {
  const stopping = new AbortController();
  const running = keeper.run(stopping.signal);
  for (let passed = 0; passed < EVERY; passed += 4_000) {
    await clock.asleep(2);
    clock.advance(4_000);
  }
  await clock.asleep(2);
  stopping.abort();
  await running;
}
