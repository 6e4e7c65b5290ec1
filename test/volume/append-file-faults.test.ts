import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppendFile } from '../../src/volume/append-file.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const PATH = '/data/flags.csv';
const HEADER = 'id,count,timestamp\n';
const WIDE_HEADER = 'id,area,count,timestamp\n';

/** A poll's rows; some are longer than a sector, and one has line ends within quotes. */
function poll(n: number, cells: string): string {
  const rows = n === 2 ? 40 : 2;
  return Array.from({ length: rows }, (_, row) => `"taxi\n${row}",${cells},t${n}\n`).join('');
}

/** What was asked of the file, as its rows: what is confirmed, and what is under way. */
class Story {
  #header = HEADER;
  #rows: string[] = [];
  /** Contents that the file may have besides the confirmed one. */
  #possible: string[] = [];

  get confirmed(): string {
    return this.#header + this.#rows.join('');
  }

  async append(file: AppendFile, rows: string): Promise<boolean> {
    this.#possible = [this.confirmed + rows];
    const isDone = await isConfirmed(file.append(Buffer.from(rows)));
    if (isDone) this.#rows.push(rows);
    return isDone;
  }

  /** Widens the file as a new attribute does. */
  async widen(file: AppendFile): Promise<boolean> {
    const wide = this.#rows.map((rows) => rows.replaceAll('",', '",,'));
    const { replacements } = file;
    this.#possible = [WIDE_HEADER + wide.join('')];
    const isDone = await isConfirmed(file.replace([Buffer.from(WIDE_HEADER), Buffer.from(wide.join(''))]));
    if (file.replacements === replacements) return isDone;
    if (!isDone) this.#possible.push(this.confirmed);
    this.#header = WIDE_HEADER;
    this.#rows = wide;
    return isDone;
  }

  /** Opens what is on the disk: every confirmed append whole, at most one more, whole too, and no part of any. */
  async check(disk: VolatileDisk): Promise<AppendFile> {
    const file = await AppendFile.open(PATH, disk, Buffer.from(HEADER));
    const found = (await file.read()).toString();
    assert.ok([this.confirmed, ...this.#possible].includes(found), `found ${JSON.stringify(found)}`);
    assert.equal((await disk.readFile(PATH)).toString(), found);
    return file;
  }
}

async function isConfirmed(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    (error) => {
      assert.match(error.code, /^VOLUME_/);
      return false;
    },
  );
}

/** Opens, appends, widens, appends, closes, until the files stop. Resolves to what did not work and went on. */
async function write(story: Story, files: FaultyFiles): Promise<string[]> {
  const failed: string[] = [];
  const opened = await AppendFile.open(PATH, files, Buffer.from(HEADER)).catch(() => null);
  if (opened === null) return files.isStopped ? [] : write(story, files);
  const steps: [string, () => Promise<boolean>][] = [
    ['append 1', () => story.append(opened, poll(1, '1'))],
    ['append 2', () => story.append(opened, poll(2, '2'))],
    ['widen', () => story.widen(opened)],
    ['append 3', () => story.append(opened, poll(3, ',3'))],
    ['append 4', () => story.append(opened, poll(4, ',4'))],
  ];
  for (const [name, step] of steps) {
    if (!(await step())) failed.push(name);
    if (files.isStopped) return failed;
  }
  await opened.close().catch(() => undefined);
  return failed;
}

async function operations(): Promise<readonly Operation[]> {
  const files = new FaultyFiles(new VolatileDisk('/data'));
  assert.deepEqual(await write(new Story(), files), []);
  return files.operations;
}

test('killed at any operation and within any write: whole appends only, before and after a power loss', async () => {
  for (const { index, name } of await operations()) {
    for (const part of name === 'write' ? [0, 0.1, 0.5, 0.9, 1] : [0]) {
      const story = new Story();
      const disk = new VolatileDisk('/data');
      await write(story, new FaultyFiles(disk, at(index, { stops: true, part })));
      const again = await story.check(disk);
      const found = (await again.read()).toString();
      // What the start counts, it has to keep, although the killed process had not synced it.
      const afterwards = await AppendFile.open(
        PATH,
        disk.afterPowerLoss(() => false),
        Buffer.from(HEADER),
      );
      assert.equal((await afterwards.read()).toString(), found, `operation ${index}`);
      await again.append(Buffer.from('x,5,t5\n'));
      assert.equal((await disk.readFile(PATH)).toString(), `${found}x,5,t5\n`);
    }
  }
});

test('the power fails at any operation: whole appends only, whatever of the unsynced survived', async () => {
  let bits = 1;
  // A plain generator of bits (xorshift), so that a failure comes again.
  const coin = () => {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    return (bits & 1) === 1;
  };
  for (const { index } of await operations()) {
    for (const survives of [() => false, () => true, ...Array.from({ length: 12 }, () => coin)]) {
      const story = new Story();
      const disk = new VolatileDisk('/data');
      await write(story, new FaultyFiles(disk, at(index, { stops: true, part: 1 })));
      await story.check(disk.afterPowerLoss(survives));
    }
  }
});

test('any operation fails once: one step is refused at most, and nothing of it stays', async () => {
  const faults: Fault[] = [
    { fails: 'ENOSPC', part: 0.5 },
    { fails: 'EIO', part: 1 },
    { fails: 'EDQUOT' },
    { fails: 'EACCES' },
    { short: true, part: 0.4 },
  ];
  for (const { index, name, path } of await operations()) {
    for (const fault of faults) {
      const story = new Story();
      const disk = new VolatileDisk('/data');
      const files = new FaultyFiles(disk, at(index, fault));
      const failed = await write(story, files);
      const where = `${JSON.stringify(fault)} at ${name} ${path}`;
      assert.ok(failed.length <= ('short' in fault && name === 'write' ? 0 : 1), `${where}: ${failed}`);
      const again = await AppendFile.open(PATH, disk, Buffer.from(HEADER));
      assert.equal((await again.read()).toString(), story.confirmed, where);
      assert.equal(again.recovery, null, where);
    }
  }
});

test('a disk without room for a while: every append is refused, and the first with room is written', async () => {
  for (const { index } of await operations()) {
    const story = new Story();
    const disk = new VolatileDisk('/data');
    let isFull = true;
    const files = new FaultyFiles(disk, (operation) => {
      const fault: Fault = { fails: 'ENOSPC', part: 0.5 };
      return isFull && operation.index >= index && operation.name === 'write' ? fault : null;
    });
    const file = await AppendFile.open(PATH, disk, Buffer.from(HEADER));
    await file.close();
    const log = await AppendFile.open(PATH, files, Buffer.from(HEADER));
    for (let n = 1; n <= 3; n++) await story.append(log, poll(n, '1'));
    isFull = false;
    assert.ok(await story.append(log, poll(4, '1')));
    assert.equal((await disk.readFile(PATH)).toString(), story.confirmed);
    await log.close();
  }
});

test('a full disk is no obstacle to opening what a killed process left on it', async () => {
  const disk = new VolatileDisk('/data');
  const story = new Story();
  const killed = await AppendFile.open(PATH, disk, Buffer.from(HEADER));
  await story.append(killed, poll(1, '1'));
  const full = new FaultyFiles(disk, ({ name }) => (name === 'write' ? { fails: 'ENOSPC' } : null));
  const file = await AppendFile.open(PATH, full);
  assert.equal((await file.read()).toString(), story.confirmed);
  await assert.rejects(file.append(Buffer.from('x\n')), { code: 'VOLUME_FULL' });
});
