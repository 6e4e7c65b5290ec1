import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { HistoryStore, StoredDay } from '../../src/history/store.js';

/** An implementation of `HistoryStore`, as the suite needs it. */
export interface StoreUnderTest {
  readonly store: HistoryStore;
  /** Another one on the same place, as after a restart, on another machine where the place allows it. */
  reopen(): Promise<HistoryStore>;
}

const FIRST = '2026-11-02';
const SECOND = '2026-11-10';

/** What every implementation of `HistoryStore` has to do. `open`: an empty one, gone after the test. */
export function testHistoryStore(
  kind: string,
  open: (t: TestContext) => Promise<StoreUnderTest>,
  options: { readonly skip?: string | false } = {},
): void {
  const put = (store: HistoryStore, dataset: string, date: string, content: string) =>
    store.put(dataset, date, (path) => writeFile(path, content));

  const contents = async (store: HistoryStore, dataset: string, day: StoredDay) => {
    const paths = store.pathsOf(dataset, day);
    const hold = await store.hold(paths);
    try {
      return await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    } finally {
      hold.release();
    }
  };

  /** Everything in the store of a dataset: its days with the content of their files. */
  const all = async (store: HistoryStore, dataset: string) => {
    const found: [date: string, contents: string[]][] = [];
    for (const day of await store.days(dataset)) found.push([day.date, await contents(store, dataset, day)]);
    return found;
  };

  test(`${kind}: an empty store has no days and no time zone`, options, async (t) => {
    const { store } = await open(t);
    assert.deepEqual(await store.days('flags'), []);
    assert.equal(await store.timeZone(), null);
    await store.recover('flags');
    await store.delete('flags', FIRST);
  });

  test(`${kind}: the time zone is kept`, options, async (t) => {
    const { store, reopen } = await open(t);
    await store.setTimeZone('America/New_York');
    await store.setTimeZone('America/New_York');
    assert.equal(await store.timeZone(), 'America/New_York');
    assert.equal(await (await reopen()).timeZone(), 'America/New_York');
  });

  test(`${kind}: days are listed oldest first, per dataset, also after a restart`, options, async (t) => {
    const { store, reopen } = await open(t);
    await put(store, 'flags', SECOND, 'second');
    await put(store, 'flags', FIRST, 'first');
    await put(store, 'flags-changes', FIRST, 'changes');
    await store.persist('flags', [FIRST, SECOND]);
    for (const one of [store, await reopen()]) {
      assert.deepEqual(await all(one, 'flags'), [
        [FIRST, ['first']],
        [SECOND, ['second']],
      ]);
      assert.deepEqual(await all(one, 'flags-changes'), [[FIRST, ['changes']]]);
    }
  });

  test(
    `${kind}: a second file of a day is added, the first stays; eleven keep their order`,
    options,
    async (t) => {
      const { store, reopen } = await open(t);
      const wanted = Array.from({ length: 11 }, (_, index) => `file ${index}`);
      for (const content of wanted) {
        const day = await put(store, 'flags', FIRST, content);
        assert.equal((await contents(store, 'flags', day)).at(-1), content);
      }
      assert.deepEqual(await all(store, 'flags'), [[FIRST, wanted]]);
      assert.deepEqual(await all(await reopen(), 'flags'), [[FIRST, wanted]]);
    },
  );

  test(`${kind}: a file is seen when it is whole, not while it is written`, options, async (t) => {
    const { store } = await open(t);
    await put(store, 'flags', FIRST, 'whole');
    await store.put('flags', FIRST, async (path) => {
      await writeFile(path, 'ha');
      assert.deepEqual(await all(store, 'flags'), [[FIRST, ['whole']]]);
      await writeFile(path, 'half');
    });
    assert.deepEqual(await all(store, 'flags'), [[FIRST, ['whole', 'half']]]);
  });

  test(`${kind}: a failed write leaves the store unchanged`, options, async (t) => {
    const { store, reopen } = await open(t);
    await put(store, 'flags', FIRST, 'whole');
    for (const date of [FIRST, SECOND]) {
      const failing = store.put('flags', date, async (path) => {
        await writeFile(path, 'ha');
        throw new Error('disk full');
      });
      await assert.rejects(failing, /disk full/);
    }
    assert.deepEqual(await all(store, 'flags'), [[FIRST, ['whole']]]);
    const again = await reopen();
    await again.recover('flags');
    assert.deepEqual(await all(again, 'flags'), [[FIRST, ['whole']]]);
    await put(again, 'flags', SECOND, 'second');
    assert.deepEqual(await all(again, 'flags'), [
      [FIRST, ['whole']],
      [SECOND, ['second']],
    ]);
  });

  test(
    `${kind}: a file that is set aside is no part of its day, is kept, and its name is not given again`,
    options,
    async (t) => {
      const { store, reopen } = await open(t);
      for (const content of ['damaged', 'sound']) await put(store, 'flags', FIRST, content);
      await put(store, 'flags', SECOND, 'damaged too');
      const [damaged] = (await store.days('flags'))[0]!.files;
      for (const day of await store.days('flags')) {
        const movedTo = await store.setAside('flags', day.date, day.files[0]!);
        assert.match(await readFile(movedTo!, 'utf8'), /^damaged/);
        assert.equal(await store.setAside('flags', day.date, day.files[0]!), null);
      }
      await put(store, 'flags', FIRST, 'later');
      for (const one of [store, await reopen()]) {
        assert.deepEqual(await all(one, 'flags'), [[FIRST, ['sound', 'later']]]);
        const dates = (await one.damagedDays('flags')).map(({ date, files }) => [date, files.length]);
        assert.deepEqual(dates, [
          [FIRST, 1],
          [SECOND, 1],
        ]);
        assert.equal((await one.damagedDays('flags'))[0]!.files[0], damaged);
      }
      await store.delete('flags', FIRST);
      assert.deepEqual(
        (await store.damagedDays('flags')).map(({ date }) => date),
        [SECOND],
      );
    },
  );

  test(`${kind}: a file is replaced as a whole when its time has come, and only then`, options, async (t) => {
    const { store, reopen } = await open(t);
    for (const content of ['one', 'two']) await put(store, 'flags', FIRST, content);
    const [day] = await store.days('flags');
    const file = { dataset: 'flags', date: FIRST, name: day!.files[0]! };
    const write = (content: string) => (path: string) => writeFile(path, content);
    assert.equal(await store.replace(file, write('never'), async () => false), false);
    assert.deepEqual(await all(store, 'flags'), [[FIRST, ['one', 'two']]]);
    const isDone = await store.replace(file, write('one again'), async (step) => {
      assert.deepEqual(await all(store, 'flags'), [[FIRST, ['one', 'two']]]);
      await step();
      assert.deepEqual(await all(store, 'flags'), [[FIRST, ['one again', 'two']]]);
      return true;
    });
    assert.equal(isDone, true);
    const failing = store.replace(
      file,
      () => Promise.reject(new Error('disk full')),
      async () => true,
    );
    await assert.rejects(failing, /disk full/);
    for (const one of [store, await reopen()])
      assert.deepEqual(await all(one, 'flags'), [[FIRST, ['one again', 'two']]]);
  });

  test(
    `${kind}: a day that was deleted while its file was written again does not return`,
    options,
    async (t) => {
      const { store } = await open(t);
      await put(store, 'flags', FIRST, 'one');
      const [day] = await store.days('flags');
      const file = { dataset: 'flags', date: FIRST, name: day!.files[0]! };
      await store.replace(
        file,
        (path) => writeFile(path, 'one again'),
        async (step) => {
          await store.delete('flags', FIRST);
          await step();
          return true;
        },
      );
      assert.deepEqual(await store.days('flags'), []);
    },
  );

  test(`${kind}: the schema is kept per dataset, and is no day`, options, async (t) => {
    const { store, reopen } = await open(t);
    assert.equal(await store.schema('flags'), null);
    await put(store, 'flags', FIRST, 'one');
    await store.noteSchema('flags', '{"first":1}');
    await store.noteSchema('flags', '{"second":2}');
    for (const one of [store, await reopen()]) {
      await one.recover('flags');
      assert.equal(await one.schema('flags'), '{"second":2}');
      assert.equal(await one.schema('zones'), null);
      assert.deepEqual(await all(one, 'flags'), [[FIRST, ['one']]]);
    }
  });

  test(`${kind}: deleting a day removes all its files, and no other day`, options, async (t) => {
    const { store, reopen } = await open(t);
    for (const content of ['one', 'two']) await put(store, 'flags', FIRST, content);
    await put(store, 'flags', SECOND, 'second');
    await put(store, 'zones', FIRST, 'zones');
    await store.delete('flags', FIRST);
    for (const one of [store, await reopen()]) {
      assert.deepEqual(await all(one, 'flags'), [[SECOND, ['second']]]);
      assert.deepEqual(await all(one, 'zones'), [[FIRST, ['zones']]]);
    }
    await put(store, 'flags', FIRST, 'again');
    assert.deepEqual((await all(store, 'flags'))[0], [FIRST, ['again']]);
  });
}
