import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Items, itemsOf, readingOf } from '../support/true-polls.js';

/**
 * `test/fixtures/volume-0.1.0/data` was written by version 0.1.0: a log taken over from the Python script, with changes,
 * sealed days, a renamed column and two that came later; a snapshot with changes; and a table whose process was killed
 * after the changes of a poll and before its snapshot. `expected` is what that version then served.
 */
const FIXTURE = join(projectRoot, 'test', 'fixtures', 'volume-0.1.0');
const NOW = Date.parse('2026-11-24T14:30:00.000Z');
/** Beyond what was recorded, and later than it. */
const NEXT_POLL = NOW + 30_000;

const TABLES: readonly { name: string; kept: Partial<RecorderOptions>; key: string; items: Items }[] = [
  {
    name: 'flag-dynamodb',
    kept: { log: true, changes: true },
    key: 'counter_type',
    items: itemsOf({
      dispatch: { area: 'north, "east"', timestamp: 'noon', total: '16' },
      pickup: { total: '1' },
    }),
  },
  {
    name: 'zone-count-dynamodb',
    kept: { changes: true },
    key: 'id',
    items: itemsOf({ 7: { count: '2' } }),
  },
  {
    name: 'killed',
    kept: { log: true, logName: 'killed-log', changes: true },
    key: 'id',
    items: itemsOf({ a: { count: '2' } }),
  },
];

for (const { name, kept, key, items } of TABLES) {
  test(`a data folder of version 0.1.0 serves the same bytes, and continues: ${name}`, async (t) => {
    const dataDir = await temporaryFolder(t);
    await cp(join(FIXTURE, 'data'), dataDir, { recursive: true });
    const world = await SqlWorld.start(t, { now: NOW, dataDir });
    const recorder = await world.table(name, kept);
    t.after(() => recorder.close());
    for (const dataset of [recorder.log, recorder.changes])
      if (dataset !== null) await world.sealer.restore(dataset);
    const expected = (file: string) => readFile(join(FIXTURE, 'expected', file), 'utf8');
    for (const dataset of recorder.datasets) {
      assert.equal((await dataset.content()).bytes.toString(), await expected(`${dataset.name}.csv`));
      if (dataset.timeColumn === null) continue;
      const everything = await world.window(dataset.name, 'from=2000-01-01T00:00:00Z');
      assert.equal(everything, await expected(`${dataset.name}.window.csv`));
    }
    // The same items again: nothing changed, whatever was interrupted.
    const { rows, ...reading } = readingOf(items);
    const columns = rows.columns.map((column) => (column.name === 'id' ? { ...column, name: key } : column));
    const recorded = await recorder.record(
      { ...reading, keys: [key], rows: { ...rows, columns } },
      NEXT_POLL,
    );
    assert.deepEqual([recorded.problems, recorded.changes], [[], 0]);
    assert.equal(
      await readFile(join(dataDir, `${name}-changes.csv`), 'utf8'),
      await expected(`${name}-changes.csv`),
    );
  });
}
