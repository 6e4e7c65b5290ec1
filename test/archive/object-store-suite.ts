import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { ObjectStore } from '../../src/archive/objects.js';

/**
 * What every implementation of `ObjectStore` has to do. `open`: an empty one, gone after the test. `isAtomic`: false for
 * an emulator in which writers at the same time can all win; they write one after another there.
 */
export function testObjectStore(
  kind: string,
  open: (t: TestContext) => Promise<ObjectStore>,
  { isAtomic = true, ...options }: { readonly skip?: string | false; readonly isAtomic?: boolean } = {},
): void {
  const suite = (name: string, run: (store: ObjectStore) => Promise<void>) =>
    test(`${kind}: ${name}`, options, async (t) => run(await open(t)));
  const keys = async (store: ObjectStore, prefix: string, after?: string) => {
    const found: string[] = [];
    for await (const { key } of store.list(prefix, after)) found.push(key);
    return found;
  };

  suite('an object is read as it was written, and what is not there is null', async (store) => {
    const bytes = randomBytes(300_000);
    assert.equal(await store.get('a/b'), null);
    const version = await store.put('a/b', bytes, null);
    const found = await store.get('a/b');
    assert.ok(found!.bytes.equals(bytes));
    assert.equal(found!.version, version);
    await store.put('empty', Buffer.alloc(0), null);
    assert.equal((await store.get('empty'))!.bytes.length, 0);
  });

  suite('a write for a new object leaves one that is there alone', async (store) => {
    assert.notEqual(await store.put('key', Buffer.from('first'), 'absent'), null);
    assert.equal(await store.put('key', Buffer.from('second'), 'absent'), null);
    assert.equal((await store.get('key'))!.bytes.toString(), 'first');
  });

  suite('of writers that saw the same version one wins', async (store) => {
    const version = (await store.put('key', Buffer.from('0'), null)) as string;
    const writes: Promise<string | null>[] = [];
    for (const text of ['1', '2', '3', '4']) {
      const write = store.put('key', Buffer.from(text), { version });
      writes.push(write);
      if (!isAtomic) await write;
    }
    const versions = await Promise.all(writes);
    const winners = versions.flatMap((one, index) => (one === null ? [] : [String(index + 1)]));
    assert.equal(winners.length, 1);
    assert.equal((await store.get('key'))!.bytes.toString(), winners[0]);
  });

  suite('a version of an object that is gone is not met', async (store) => {
    const version = (await store.put('key', Buffer.from('0'), null)) as string;
    await store.remove(['key', 'never-there']);
    assert.equal(await store.put('key', Buffer.from('1'), { version }), null);
    assert.equal(await store.get('key'), null);
  });

  suite('keys are listed in their order, from any of them on, beyond one page', async (store) => {
    const all = Array.from({ length: 1_050 }, (_, index) => `p/${String(index).padStart(4, '0')}`);
    for (let start = 0; start < all.length; start += 50)
      await Promise.all(all.slice(start, start + 50).map((key) => store.put(key, Buffer.from('x'), null)));
    await store.put('q/other', Buffer.from('x'), null);
    assert.deepEqual(await keys(store, 'p/'), all);
    assert.deepEqual(await keys(store, 'p/', 'p/1000'), all.slice(1_001));
    await store.remove(all);
    assert.deepEqual(await keys(store, ''), ['q/other']);
  });
}
