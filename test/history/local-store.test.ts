import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { LocalStore } from '../../src/history/local-store.js';
import { nodeFiles } from '../../src/volume/files.js';
import { FaultyFiles } from '../support/faulty-files.js';
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

test('a service that is killed at any operation of a replacement leaves the old file or the new one, whole', async (t) => {
  const seen = new Set<string>();
  let isOver = false;
  for (let at = 0; !isOver; at++) {
    const dataDir = await temporaryFolder(t);
    const before = new LocalStore(dataDir, nodeFiles);
    await before.put('flags', '2026-11-02', (path) => writeFile(path, 'old'));
    const faulty = new FaultyFiles(nodeFiles, ({ index }) => (index === at ? { stops: true } : null));
    const file = { dataset: 'flags', date: '2026-11-02', name: '2026-11-02.parquet' };
    const killed = new LocalStore(dataDir, faulty).replace(
      file,
      (path) => writeFile(path, 'new'),
      async (step) => {
        await step();
        return true;
      },
    );
    await killed.catch(() => undefined);
    isOver = !faulty.isStopped;
    const after = new LocalStore(dataDir, nodeFiles);
    await after.recover('flags');
    const folder = join(dataDir, 'history', 'flags', 'date=2026-11-02');
    assert.deepEqual(await readdir(folder), ['2026-11-02.parquet']);
    seen.add(await readFile(join(folder, '2026-11-02.parquet'), 'utf8'));
  }
  assert.deepEqual([...seen].sort(), ['new', 'old']);
});
