import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ObjectStore } from '../../src/archive/objects.js';
import type { HistoryStore } from '../../src/history/store.js';
import { testHistoryStore } from '../history/store-suite.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ArchivedHistory } from './archived-days.js';

/** The store's common suite where every day leaves the folder as soon as it is put, and the cache has room for few. */
export function testArchivedStore(
  kind: string,
  objectsOf: (t: TestContext) => Promise<ObjectStore>,
  options: { readonly skip?: string | false } = {},
): void {
  testHistoryStore(
    `the archive (${kind})`,
    async (t) => {
      const objects = await objectsOf(t);
      const dataDir = await temporaryFolder(t);
      return {
        store: await leaving(dataDir, objects),
        // Another machine has the lists of what is in the archive, and no file of a day.
        reopen: async () => {
          const other = await temporaryFolder(t);
          await cp(dataDir, other, { recursive: true, filter: (path) => !path.endsWith('.parquet') });
          await cp(join(dataDir, 'damaged'), join(other, 'damaged'), { recursive: true }).catch(
            () => undefined,
          );
          const store = await leaving(other, objects);
          for (const dataset of ['flags', 'flags-changes', 'zones']) await store.recover(dataset);
          return store;
        },
      };
    },
    options,
  );
}

async function leaving(dataDir: string, objects: ObjectStore): Promise<HistoryStore> {
  const history = await ArchivedHistory.open({ dataDir, objects, limit: 1_000 });
  const { store } = history;
  const put = store.put.bind(store);
  store.put = async (dataset, date, write) => {
    const day = await put(dataset, date, write);
    await history.archiveAll();
    return day;
  };
  const replace = store.replace.bind(store);
  store.replace = async (file, write, swap) => {
    const isDone = await replace(file, write, swap);
    await history.archiveAll();
    return isDone;
  };
  return store;
}
