import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLockSign, succeedVolumeLock, thisProcess, type VolumeLock } from '../../src/volume/lock.js';
import { at, testDynamoDb } from '../app/world.js';
import { resultPage, startScriptedAthena } from '../support/scripted-athena.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const ENDED = {
  QueryExecution: {
    Status: { State: 'SUCCEEDED' },
    Statistics: { DataScannedInBytes: 1, TotalExecutionTimeInMillis: 1 },
  },
};

test('the result of a view that another engine computes is not written by a service that has lost the folder', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  await mkdir(join(folder, 'views'));
  await writeFile(join(folder, 'views', 'rides.sql'), '-- engine: athena\nSELECT rides FROM rides\n');
  let other: VolumeLock | null = null;
  const athena = await startScriptedAthena(async (operation) => {
    if (operation === 'StartQueryExecution') return { QueryExecutionId: 'q-1' };
    if (operation === 'GetQueryExecution') return ENDED;
    // Before the answer comes, another service takes the folder.
    while (other === null)
      other = await succeedVolumeLock(
        dataDir,
        thisProcess('2026-11-24T10:00:00Z'),
        (await readLockSign(dataDir))!,
      );
    return resultPage({ rides: 'bigint' }, [['rides'], ['7']]);
  });
  t.after(() => athena.close());
  t.after(() => other?.release());
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' });
  const config = `
tables: { ${table}: { interval: 1s } }
views: ${join(folder, 'views')}
athena: { database: fleet, output: s3://bucket/athena/ }
`;
  const env = { ROLE: 'auto', ...at(database.endpoint), AWS_ENDPOINT_URL_ATHENA: athena.endpoint };
  const service = await startService(t, { config, env, dataDir });
  const { msg } = await service.logged(({ msg }) => msg.startsWith('its result is not on the volume'));
  assert.match(msg, /Another service took over the data folder/);
  await service.logged(({ msg }) => msg.includes('stops writing, and follows'));
  for (const name of ['rides.csv', 'rides.json'])
    assert.ok(!existsSync(join(dataDir, 'results', name)), name);
});
