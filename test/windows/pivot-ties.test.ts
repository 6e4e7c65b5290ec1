import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { SqlWorld } from '../support/sql-world.js';

test('a pivot’s row has the time of the row that stood last, however often DuckDB is asked', async (t) => {
  const { sql } = await SqlWorld.start(t);
  const columns = [column('by'), column('n', 'number'), column('timestamp', 'time')];
  const log = new ScriptedDataset({ name: 'log', kind: 'log', columns, timeColumn: 'timestamp' });
  const times = ['2026-11-24T15:25:00.000Z', '2026-11-24T15:25:00Z'];
  await log.land(Array.from({ length: 40 }, (_, row) => [`value ${row}`, String(row), times[row % 2]!]));
  for (let round = 0; round < 20; round++) {
    const { run } = await sql.queries.window(log, [
      ['pivot', 'by:n'],
      ['limit', String(round + 1)],
    ]);
    const parts: Buffer[] = [];
    for await (const part of (await run(new AbortController().signal)).body) parts.push(part);
    const [, row] = Buffer.concat(parts).toString().split('\n');
    assert.equal(row?.split(',')[0], times[1]);
  }
});
