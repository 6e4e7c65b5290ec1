import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalStore } from '../../src/history/local-store.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testHistoryStore } from './store-suite.js';

testHistoryStore('the local disk', async (t) => {
  const dataDir = await temporaryFolder(t);
  return {
    store: new LocalStore(dataDir, nodeFiles),
    reopen: async () => new LocalStore(dataDir, nodeFiles),
  };
});

test('days have the layout that docs/volume.md describes, and other names beside them are ignored', async (t) => {
  const dataDir = await temporaryFolder(t);
  const store = new LocalStore(dataDir, nodeFiles);
  for (const content of ['one', 'two'])
    await store.put('flags', '2026-11-02', (path) => writeFile(path, content));
  const folder = join(dataDir, 'history', 'flags');
  await mkdir(join(folder, 'notes'));
  await writeFile(join(folder, 'date=2026-11-02', '.2026-11-02-3.parquet.tmp'), 'half');
  const files = ['2026-11-02.parquet', '2026-11-02-2.parquet'];
  assert.deepEqual(await store.days('flags'), [{ date: '2026-11-02', files }]);
  await store.recover('flags');
  assert.deepEqual((await readdir(join(folder, 'date=2026-11-02'))).sort(), files.sort());
});
