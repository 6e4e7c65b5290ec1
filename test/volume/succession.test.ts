import assert from 'node:assert/strict';
import { appendFile, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { detachFiles } from '../../src/volume/detach.js';
import { fencedFiles } from '../../src/volume/fenced-files.js';
import { nodeFiles } from '../../src/volume/files.js';
import { acquireVolumeLock, type LockSign, readLockSign, succeedVolumeLock } from '../../src/volume/lock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const OLD = { host: 'old', pid: 1, since: '2026-11-24T08:00:00.000Z' };
const NEW = { host: 'new', pid: 1, since: '2026-11-24T09:00:00.000Z' };

/** A folder that another service holds, as a follower sees its lock. */
async function held(t: TestContext) {
  const dir = await temporaryFolder(t);
  const old = await acquireVolumeLock(dir, OLD);
  const sign = async () => (await readLockSign(dir)) as LockSign;
  return { dir, old, sign };
}

test('a holder that beats keeps the folder, whatever the time of its machine', async (t) => {
  const { dir, old, sign } = await held(t);
  const before = await sign();
  assert.deepEqual(before.holder!.host, 'old');
  await old.beat();
  assert.notEqual((await sign()).modifiedAt, before.modifiedAt);
  assert.equal(await succeedVolumeLock(dir, NEW, before), null);
  // Its clock stands still, or is set back: it beats all the same.
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  for (let beats = 0; beats < 3; beats += 1) {
    const last = await sign();
    await old.beat();
    assert.notEqual((await sign()).modifiedAt, last.modifiedAt);
  }
  assert.equal(await old.check(), 'held');
  await old.release();
});

test('a holder that does not beat is replaced, and knows it even when the new one is gone', async (t) => {
  const { dir, old, sign } = await held(t);
  const [seen, other] = [await sign(), await sign()];
  const next = (await succeedVolumeLock(dir, NEW, seen))!;
  assert.equal(await next.check(), 'held');
  // A second follower that saw the same comes too late.
  assert.equal(await succeedVolumeLock(dir, { ...NEW, host: 'late' }, other), null);
  await assert.rejects(old.check(), { code: 'VOLUME_LOST' });
  await assert.rejects(acquireVolumeLock(dir, OLD), {
    code: 'VOLUME_HELD',
    message: /process 1 on host new/,
  });
  await next.release();
  await assert.rejects(old.check(), { code: 'VOLUME_LOST' });
  await old.release();
  const third = await acquireVolumeLock(dir, NEW);
  assert.equal(await third.check(), 'held');
  await third.release();
});

test('a process that lost the folder changes nothing, not even with files that it had open', async (t) => {
  const { dir, old, sign } = await held(t);
  const path = join(dir, 'orders.csv');
  await writeFile(path, 'id\n1\n');
  const files = fencedFiles(nodeFiles, () => old.check());
  const file = await files.open(path, 'r+');
  const raw = await open(path, 'r+');
  await file.write(Buffer.from('2\n'), 5);
  const next = (await succeedVolumeLock(dir, NEW, await sign()))!;
  await detachFiles(dir, nodeFiles);
  const { ino } = await stat(path);
  assert.notEqual(ino, (await raw.stat()).ino);
  // In the middle of a write when it was frozen.
  await raw.write(Buffer.from('x'), 0, 1, 3);
  await raw.close();
  assert.equal(await readFile(path, 'utf8'), 'id\n1\n2\n');
  await writeFile(join(dir, 'mine'), 'new');
  // It was checked a moment ago; what makes things count is checked each time.
  await assert.rejects(files.rename(join(dir, 'mine'), path), { code: 'VOLUME_LOST' });
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 5_000 });
  for (const change of [
    () => file.write(Buffer.from('3\n'), 7),
    () => file.truncate(0),
    () => files.open(path, 'r+'),
    () => files.open(join(dir, 'other'), 'w+'),
    () => files.remove(path),
    () => files.removeFolder(dir),
  ])
    await assert.rejects(change, { code: 'VOLUME_LOST' });
  assert.equal((await files.readFile(path)).toString(), 'id\n1\n2\n');
  await file.close();
  await next.release();
  await old.release();
});

test('files that are detached keep their content, and sealed days stay as they are', async (t) => {
  const dir = await temporaryFolder(t);
  const day = join(dir, 'history', 'orders', 'date=2026-11-24');
  await mkdir(day, { recursive: true });
  await mkdir(join(dir, '.dynamo-csv'));
  const [csv, state, sealed] = [
    join(dir, 'orders.csv'),
    join(dir, '.dynamo-csv', 'orders.json'),
    join(day, '2026-11-24.parquet'),
  ];
  for (const path of [csv, state, sealed]) await appendFile(path, path.repeat(1_000));
  const inodes = () => Promise.all([csv, state, sealed].map(async (path) => (await stat(path)).ino));
  const before = await inodes();
  await detachFiles(dir, nodeFiles);
  const after = await inodes();
  assert.deepEqual(
    after.map((inode, index) => inode === before[index]),
    [false, false, true],
  );
  for (const path of [csv, state, sealed]) assert.equal(await readFile(path, 'utf8'), path.repeat(1_000));
});
