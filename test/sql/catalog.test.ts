import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { Catalog } from '../../src/sql/catalog.js';
import { DamagedDays } from '../../src/sql/damaged-days.js';
import { Engine } from '../../src/sql/engine.js';
import { DuckDbParquet } from '../../src/sql/parquet.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('a dataset that is removed from the registry is dropped from DuckDB, one that returns is loaded anew', async (t) => {
  const engine = await Engine.open({ dataDir: await temporaryFolder(t), timeZone: 'UTC' });
  t.after(() => engine.close());
  const registry = new DatasetRegistry();
  const logger = pino({ level: 'silent' });
  const damagedDays = new DamagedDays(new DuckDbParquet(engine), null);
  const localDays = new LocalDays('UTC');
  const catalog = new Catalog({ engine, registry, localDays, damagedDays, logger });
  const inDuckDb = () =>
    engine.session({ caller: 'service' }, (session) =>
      session.rows(
        `SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw'
         UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal`,
      ),
    );
  const add = async (id: string) => {
    const dataset = new ScriptedDataset({ name: 'zones', columns: [column('id')] });
    await dataset.land([[id]]);
    registry.add(dataset);
    return dataset;
  };
  const first = await add('a');
  const table = catalog.of(first);
  await table.sync();
  const { state } = table;
  assert.deepEqual(await inDuckDb(), [['zones'], ['zones']]);
  registry.remove('zones');
  await catalog.dropped('zones');
  assert.deepEqual(await inDuckDb(), []);
  await assert.rejects(table.sync(), { code: 'DATASET_UNKNOWN' });
  const again = catalog.of(await add('a'));
  await again.sync();
  assert.notEqual(again.state, state, 'what was computed from the earlier one is not of this one');
  assert.deepEqual(await inDuckDb(), [['zones'], ['zones']]);
});
