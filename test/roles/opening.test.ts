import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { openEngineViews } from '../../src/engines/open-engine-views.js';
import { ArchivedDays } from '../../src/history/archived-days.js';
import { ALL_HERE } from '../../src/history/day-files.js';
import { Collecting } from '../../src/service/collecting.js';
import { CurrentDayFiles } from '../../src/service/day-files.js';
import { Following } from '../../src/service/following.js';
import { createService } from '../../src/service/service.js';
import { takeVolume } from '../../src/service/volume.js';
import { Sql } from '../../src/sql/sql.js';
import { nodeFiles } from '../../src/volume/files.js';
import { never } from '../archive/keeper-world.js';
import { load } from '../config/load.js';
import { logLines } from '../support/log-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DAY = 'history/flags/date=2026-11-20/2026-11-20.parquet';

/** A service on a folder whose history has the time zone of Seoul. */
async function world(t: TestContext, timeZone: string) {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, 'history', 'flags'), { recursive: true });
  await writeFile(join(dataDir, 'history', 'time-zone'), 'Asia/Seoul\n');
  const config = await load(
    `timeZone: ${timeZone}\ntables: { flags: { log: true } }\narchive: { bucket: none-there, region: eu-central-1 }\n`,
    { DATA_DIR: dataDir, ROLE: 'follow' },
  );
  const service = createService(config, { clock: systemClock, logger: logLines().logger, signal: never });
  const dayFiles = new CurrentDayFiles();
  const sql = new Sql({ ...config, ...service, storedDays: dayFiles });
  t.after(async () => {
    await sql.close();
    await service.copies?.close();
  });
  // Those of the body before.
  dayFiles.use({ ...ALL_HERE, departuresOf: () => 42 });
  return { dataDir, service, options: { sql, dayFiles, engineViews: openEngineViews(config, service) } };
}

test('a body that cannot be opened leaves readers the files of the one before', async (t) => {
  const { service, options } = await world(t, 'UTC');
  await assert.rejects(Following.open(service, options), { code: 'HISTORY_TIME_ZONE' });
  assert.equal(options.dayFiles.departuresOf('flags'), 42);
  const collecting = Collecting.open(
    { ...service, config: { ...service.config, archive: null } },
    {
      ...options,
      volume: await takeVolume(service),
      keeper: null,
      queries: options.sql.queries,
      archiveFirst: false,
      about: null as never,
    },
  );
  await assert.rejects(collecting, { code: 'HISTORY_TIME_ZONE' });
  assert.equal(options.dayFiles.departuresOf('flags'), 42);
});

test('a body shows its datasets and gives their files at once, and again after another one has tried to', async (t) => {
  const { service, options } = await world(t, 'Asia/Seoul');
  const body = await Following.open(service, options);
  t.after(() => body.close());
  assert.equal(options.dayFiles.departuresOf('flags'), 0);
  options.dayFiles.use({ ...ALL_HERE, departuresOf: () => 42 });
  body.show();
  assert.equal(options.dayFiles.departuresOf('flags'), 0);
});

test('the copies of a body that ends are dropped, and not those of the one that follows it', async (t) => {
  const { dataDir, service } = await world(t, 'Asia/Seoul');
  const list = await ArchivedDays.open(dataDir, nodeFiles);
  await list.add([{ path: DAY, size: 1, hash: '0'.repeat(64), columns: [] }]);
  const copies = service.copies!;
  const [before, after] = [(await copies.store())!, (await copies.store())!];
  const pathIn = async (store: typeof after) => {
    const [day] = await store.days('flags');
    return store.pathsOf('flags', day!)[0]!;
  };
  assert.notEqual(await pathIn(before), await pathIn(after));
  await copies.drop(before);
  assert.ok((await pathIn(after)).startsWith(copies.dir));
});
