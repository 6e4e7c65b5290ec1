import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { LocalDays } from '../../src/base/local-days.js';
import { noRows } from '../../src/csv/encode.js';
import { LocalStore } from '../../src/history/local-store.js';
import type { ParquetFiles } from '../../src/history/parquet-files.js';
import { Sealer } from '../../src/history/sealer.js';
import type { StoredDay } from '../../src/history/store.js';
import { nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The days of a dataset that another process records. */

class Store extends LocalStore {
  beforeDays = async () => {};

  override async days(dataset: string): Promise<readonly StoredDay[]> {
    await this.beforeDays();
    return super.days(dataset);
  }
}

const DATES = ['2026-11-18', '2026-11-19'];

async function following(t: TestContext) {
  const store = new Store(await temporaryFolder(t), nodeFiles);
  for (const date of DATES) await store.put('log', date, (path) => writeFile(path, date));
  const sealer = new Sealer({
    store,
    days: new LocalDays('UTC'),
    // Nothing is read: the file begins after the last day.
    parquet: {} as ParquetFiles,
    clock: new ManualClock('2026-11-20T12:00:00Z'),
    logger: logLines().logger,
  });
  const firstAt = Date.parse('2026-11-20T10:00:00Z');
  const rows = async () => noRows([]);
  const follow = async () => {
    const days = await sealer.follow({ name: 'log', pollColumn: 'timestamp', itemTime: null, firstAt, rows });
    return days.map(({ date, missing }) => [date, missing !== undefined]);
  };
  return { store, follow };
}

test('a day that is set aside while days are looked for is missing, and not left out', async (t) => {
  const { store, follow } = await following(t);
  const [first = '', second] = DATES;
  assert.deepEqual(await follow(), [
    [first, false],
    [second, false],
  ]);
  store.beforeDays = async () => {
    store.beforeDays = async () => {};
    await store.setAside('log', first, `${first}.parquet`);
  };
  assert.deepEqual(await follow(), [
    [first, true],
    [second, false],
  ]);
});
