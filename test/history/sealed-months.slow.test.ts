import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { SqlWorld } from '../support/sql-world.js';
import { itemsOf, readingOf, rowsOf } from '../support/true-polls.js';
import { unsyncedFiles } from '../support/unsynced-files.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Midnight in New York, in summer; in autumn a day has 25 hours. */
const FIRST = Date.parse('2026-08-20T04:00:00Z');
const NOW = FIRST + 90 * DAY + HOUR;
const KEEPING = { keep: 7, retention: null };
/** Six days: in winter the first poll of a UTC day is of the local day before. */
const UNSEALED_ROWS = (6 * 4 - 1) * 3;

/** Four polls a day; a column that comes later, a wider type, digits that no double has, and texts that are hard. */
const POLLS = Array.from({ length: 90 * 4 }, (_, n) => ({
  at: FIRST + n * 6 * HOUR + 7,
  reading: readingOf(
    itemsOf({
      '\uFEFFa': { count: String(n), exact: `${n}00000000000000000000001` },
      '\uFFFCb, "c"\n': {
        count: n > 200 && n % 50 === 1 ? 'many' : '0',
        text: n % 2 === 0 ? '' : '\uFEFF🚕\r\n',
      },
      ...(n > 100 ? { '\uFFFCd': { area: 'null', flag: 'true' } } : {}),
    }),
  ),
}));

/** The whole log, sealed days and all, as a window gives it: in the order of time, then of the key. */
async function read(world: SqlWorld): Promise<Record<string, string>[]> {
  return rowsOf(Buffer.from(await world.window('flags', 'from=2000-01-01T00:00:00Z&sort=timestamp,id')));
}

async function start(t: Parameters<typeof SqlWorld.start>[0], dataDir?: string) {
  const world = await SqlWorld.start(t, { now: NOW, ...(dataDir === undefined ? {} : { dataDir }) });
  const recorder: TableRecorder = await world.table('flags', { log: true, files: unsyncedFiles });
  t.after(() => recorder.close());
  const log = recorder.log!;
  await world.sealer.restore(log);
  return { world, recorder, log };
}

test('three months of a log, sealed by DuckDB, read back cell by cell, also after an interruption', async (t) => {
  const { world, recorder, log } = await start(t);
  for (const { reading, at } of POLLS) assert.deepEqual((await recorder.record(reading, at)).problems, []);
  const written = await readFile(join(world.dataDir, 'flags.csv'));
  const expected = await rowsOf(written);
  assert.equal(expected.length, 360 * 2 + 259);
  assert.equal(await world.sealer.seal(log, KEEPING), true);
  assert.equal(log.sealedDays.length, 84);
  assert.equal(log.status().rows, UNSEALED_ROWS);
  const byTime = (rows: Record<string, string>[]) =>
    rows.map((row) => [row.timestamp, row.id, JSON.stringify(Object.entries(row).sort())].join(' ')).sort();
  assert.deepEqual(byTime(await read(world)), byTime(expected));
  // As if the process had died between the Parquet files and the CSV file.
  await recorder.close();
  await writeFile(join(world.dataDir, 'flags.csv'), written);
  const again = await start(t, world.dataDir);
  assert.equal(again.log.status().rows, UNSEALED_ROWS);
  assert.deepEqual(byTime(await read(again.world)), byTime(expected));
});
