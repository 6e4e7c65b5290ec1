import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnapshotFile } from '../../src/volume/write.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const PATH = '/data/zones.csv';
const CONTENTS = ['id\n1\n', `id\n${'2\n'.repeat(600)}`, 'id\n', 'id\n4\n'].map((text) => Buffer.from(text));

/** Replaces the file by each content in turn; returns how many the file was confirmed to hold. */
async function replaceAll(files: FaultyFiles): Promise<number> {
  const file = new SnapshotFile(PATH, files);
  let confirmed = 0;
  for (const content of CONTENTS) {
    const isConfirmed = await file.replace(content).then(
      () => true,
      (error) => {
        assert.match(error.code, /^VOLUME_/);
        return false;
      },
    );
    if (files.isStopped) break;
    if (isConfirmed) confirmed = CONTENTS.indexOf(content) + 1;
  }
  return confirmed;
}

/** The file is a whole content: the last confirmed one, or one that was being written after it. */
async function check(disk: VolatileDisk, confirmed: number): Promise<void> {
  const found = await new SnapshotFile(PATH, disk).read();
  const possible = [...(confirmed === 0 ? [null] : []), ...CONTENTS.slice(Math.max(0, confirmed - 1))];
  assert.ok(
    possible.some((content) => (found === null ? content === null : content?.equals(found))),
    `after ${confirmed} contents it has ${found}`,
  );
}

async function operations(): Promise<readonly Operation[]> {
  const files = new FaultyFiles(new VolatileDisk('/data'));
  assert.equal(await replaceAll(files), CONTENTS.length);
  return files.operations;
}

const SURVIVORS = [() => false, () => true, alternating(true), alternating(false)];

function alternating(first: boolean): () => boolean {
  let next = !first;
  return () => {
    next = !next;
    return next;
  };
}

test('stopped at any operation, within a write, with and without power: the old content or the new one', async () => {
  for (const { index } of await operations()) {
    for (const part of [0, 0.5, 1]) {
      const disk = new VolatileDisk('/data');
      const confirmed = await replaceAll(new FaultyFiles(disk, at(index, { stops: true, part })));
      await check(disk, confirmed);
      for (const survives of SURVIVORS) await check(disk.afterPowerLoss(survives), confirmed);
      await new SnapshotFile(PATH, disk).replace(CONTENTS[0]!);
      await check(
        disk.afterPowerLoss(() => false),
        1,
      );
    }
  }
});

test('any operation fails: the old content or the new one, and the next one is written', async () => {
  const faults: Fault[] = [
    { fails: 'ENOSPC', part: 0.5 },
    { fails: 'EIO' },
    { fails: 'EDQUOT' },
    { fails: 'EACCES' },
    { short: true, part: 0.3 },
  ];
  for (const { index } of await operations()) {
    for (const fault of faults) {
      const disk = new VolatileDisk('/data');
      const files = new FaultyFiles(disk, at(index, fault));
      const confirmed = await replaceAll(files);
      assert.ok(confirmed >= CONTENTS.length - 1);
      await check(disk, confirmed);
      await check(
        disk.afterPowerLoss(() => false),
        confirmed,
      );
      await new SnapshotFile(PATH, files).replace(CONTENTS[1]!);
      assert.ok((await disk.readFile(PATH)).equals(CONTENTS[1]!));
    }
  }
});

test('a disk that takes nothing: a sentence for each cause, and the old content stays', async () => {
  const expected = {
    ENOSPC: 'VOLUME_FULL',
    EDQUOT: 'VOLUME_FULL',
    EIO: 'VOLUME_WRITE_FAILED',
    EACCES: 'VOLUME_NOT_WRITABLE',
  };
  for (const [fails, code] of Object.entries(expected)) {
    const disk = new VolatileDisk('/data');
    await new SnapshotFile(PATH, disk).replace(CONTENTS[0]!);
    const fault = { fails } as Fault;
    const files = new FaultyFiles(disk, ({ name }) => (name === 'write' || name === 'sync' ? fault : null));
    await assert.rejects(new SnapshotFile(PATH, files).replace(CONTENTS[1]!), { code });
    assert.ok((await disk.readFile(PATH)).equals(CONTENTS[0]!));
    assert.deepEqual(await disk.list('/data'), ['zones.csv']);
  }
});

test('the same content again is not written, but made safe where a killed process left it', async () => {
  const disk = new VolatileDisk('/data');
  const stopped = new FaultyFiles(disk, ({ name }) => (name === 'syncFolder' ? { stops: true } : null));
  await assert.rejects(new SnapshotFile(PATH, stopped).replace(CONTENTS[0]!));
  const files = new FaultyFiles(disk);
  const file = new SnapshotFile(PATH, files);
  assert.equal(await file.replace(CONTENTS[0]!), false);
  assert.ok((await disk.afterPowerLoss(() => false).readFile(PATH)).equals(CONTENTS[0]!));
  const before = files.operations.length;
  assert.equal(await file.replace(CONTENTS[0]!), false);
  assert.deepEqual(
    files.operations.slice(before).map(({ name }) => name),
    ['stat'],
  );
});

test('a content whose name could not be made safe is written again', async () => {
  const disk = new VolatileDisk('/data');
  let isBroken = true;
  const files = new FaultyFiles(disk, ({ name }) =>
    isBroken && name === 'syncFolder' ? { fails: 'EIO' } : null,
  );
  const file = new SnapshotFile(PATH, files);
  await assert.rejects(file.replace(CONTENTS[0]!), { code: 'VOLUME_WRITE_FAILED' });
  isBroken = false;
  assert.equal(await file.replace(CONTENTS[0]!), true);
  assert.ok((await disk.afterPowerLoss(() => false).readFile(PATH)).equals(CONTENTS[0]!));
});
