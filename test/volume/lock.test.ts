import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { acquireVolumeLock, thisProcess } from '../../src/volume/lock.js';
import { openVolume } from '../../src/volume/volume.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const since = '2025-11-24T08:00:00.000Z';
const holderScript = fileURLToPath(new URL('./lock-holder.js', import.meta.url));

/** Another process that holds the volume; resolves once it does. */
async function otherHolder(t: TestContext, dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holderScript, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

test('a second service in the same process is refused with the holder of the volume', async (t) => {
  const dir = await temporaryFolder(t);
  const lock = await acquireVolumeLock(dir, { host: 'box', pid: 1, since });
  await assert.rejects(acquireVolumeLock(dir, thisProcess(since)), {
    code: 'VOLUME_HELD',
    message: `The data folder ${dir} is in use by process 1 on host box, since ${since}`,
  });
  await lock.release();
  await (await acquireVolumeLock(dir, thisProcess(since))).release();
});

test('a second process is refused until the first is killed, which leaves nothing to clean up', async (t) => {
  const dir = await temporaryFolder(t);
  const child = await otherHolder(t, dir);
  await assert.rejects(acquireVolumeLock(dir, thisProcess(since)), {
    code: 'VOLUME_HELD',
    message: new RegExp(`process ${child.pid} on host`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  // The text that the killed one left names a process that is gone; it counts for nothing.
  assert.match(await readFile(join(dir, '.dynamo-csv/lock'), 'utf8'), new RegExp(`"pid":${child.pid}`));
  const lock = await acquireVolumeLock(dir, thisProcess(since));
  await lock.release();
  assert.deepEqual(await readdir(join(dir, '.dynamo-csv')), ['lock']);
});

test('a holder that could not write its name is held to all the same', async (t) => {
  const dir = await temporaryFolder(t);
  const lock = await acquireVolumeLock(dir, { host: 'box', pid: 1, since });
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(dir, '.dynamo-csv/lock'), '{"host":');
  await assert.rejects(acquireVolumeLock(dir, thisProcess(since)), { message: /in use by another process$/ });
  await lock.release();
});

test('a folder that is swapped for its copy is locked too, and a second service is refused there', async (t) => {
  const dir = join(await temporaryFolder(t), 'data');
  const lock = await acquireVolumeLock(dir, { host: 'box', pid: 1, since });
  assert.equal(await lock.check(), 'held');
  await rename(dir, `${dir}.old`);
  await cp(`${dir}.old`, dir, { recursive: true });
  assert.equal(await lock.check(), 'moved');
  assert.equal(await lock.check(), 'held');
  for (const place of [dir, `${dir}.old`])
    await assert.rejects(acquireVolumeLock(place, thisProcess(since)), { code: 'VOLUME_HELD' });
  await lock.release();
  for (const place of [dir, `${dir}.old`])
    await (await acquireVolumeLock(place, thisProcess(since))).release();
});

test('a second service that took the folder, or replaced the lock file, is noticed', async (t) => {
  const dir = join(await temporaryFolder(t), 'data');
  const lock = await acquireVolumeLock(dir, { host: 'box', pid: 1, since });
  await rm(join(dir, '.dynamo-csv', 'lock'));
  const second = await acquireVolumeLock(dir, { host: 'box', pid: 2, since });
  await assert.rejects(lock.check(), {
    code: 'VOLUME_LOST',
    message: /Another service took over the data folder/,
  });
  await second.release();
  assert.equal(await lock.check(), 'moved');
  await lock.release();
});

test('a folder in the place of the lock file is moved to damaged/ with what is in it, and the lock is taken', async (t) => {
  const dir = await temporaryFolder(t);
  await mkdir(join(dir, '.dynamo-csv', 'lock', 'inner'), { recursive: true });
  const volume = await openVolume(dir, thisProcess(since));
  assert.equal(volume.lockKeptAt, join(dir, 'damaged', 'lock'));
  assert.deepEqual(await readdir(join(dir, 'damaged', 'lock')), ['inner']);
  await assert.rejects(openVolume(dir, thisProcess(since)), { code: 'VOLUME_HELD' });
  await volume.release();
  const again = await openVolume(dir, thisProcess(since));
  assert.equal(again.lockKeptAt, null);
  await again.release();
});
