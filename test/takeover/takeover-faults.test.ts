import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TakeoverOptions, takeOver } from '../../src/takeover/takeover.js';
import { at, type Fault, FaultyFiles, type Operation } from '../support/faulty-files.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const KEPT = '/data/taken-over';
const SCRIPT =
  'counter_type,count,timestamp\ndispatch,12,2025-02-14 09:30:00\nno row\npickup,3,2025-02-14 09:30:00\n';
const OURS =
  'counter_type,count,timestamp\ndispatch,12,2025-02-14T09:30:00.000Z\npickup,3,2025-02-14T09:30:00.000Z\n';
const REJECTED = 'line,reason,text\n3,1 cells where the header has 3,"no row"\n';

const CASES: Readonly<Record<string, TakeoverOptions>> = {
  'in its place': { kind: 'log', path: '/data/flags.csv' },
  'under another name': { kind: 'log', path: '/data/flags.csv', scriptPath: '/data/flag-dynamodb.csv' },
};

async function scriptDisk({ path, scriptPath = path }: TakeoverOptions): Promise<VolatileDisk> {
  const disk = new VolatileDisk('/data');
  const file = await disk.open(scriptPath, 'w+');
  await file.write(Buffer.from(SCRIPT), 0);
  await file.sync();
  await disk.syncFolder('/data');
  return disk;
}

async function operations(options: TakeoverOptions): Promise<readonly Operation[]> {
  const disk = await scriptDisk(options);
  const files = new FaultyFiles(disk);
  assert.notEqual(await takeOver(options, files), null);
  await checkDone(disk, options);
  return files.operations;
}

/** The converted file goes on, the original and the rejected line are kept, once, and nothing else is left. */
async function checkDone(files: VolatileDisk, { path, scriptPath = path }: TakeoverOptions) {
  const name = scriptPath.slice('/data/'.length, -'.csv'.length);
  const read = async (file: string) => (await files.readFile(file)).toString();
  assert.equal(await read(path), OURS);
  assert.equal(await read(`${KEPT}/${name}.csv`), SCRIPT);
  assert.equal(await read(`${KEPT}/${name}.rejected.csv`), REJECTED);
  assert.deepEqual((await files.list(KEPT)).filter((entry) => !entry.endsWith('.tmp')).length, 2);
  assert.equal(scriptPath === path || (await files.stat(scriptPath)) === null, true);
}

for (const [what, options] of Object.entries(CASES)) {
  test(`a takeover ${what}, stopped at any operation, is finished by the next start, also without power after it`, async () => {
    const survivors = [null, () => false, () => true];
    for (const { index, name, path } of await operations(options)) {
      for (const part of name === 'write' ? [0, 0.5] : [0]) {
        for (const survives of survivors) {
          const disk = await scriptDisk(options);
          await assert.rejects(takeOver(options, new FaultyFiles(disk, at(index, { stops: true, part }))));
          const found = survives === null ? disk : disk.afterPowerLoss(survives);
          await takeOver(options, found);
          await checkDone(found, options);
          const later = found.afterPowerLoss(() => false);
          await takeOver(options, later);
          await checkDone(later, options).catch((error) => {
            throw new Error(`stopped at ${index}, ${name} ${path}: ${error}`, { cause: error });
          });
        }
      }
    }
  });

  test(`a takeover ${what} that fails at any operation loses nothing and is done again`, async () => {
    const faults: Fault[] = [{ fails: 'ENOSPC', part: 0.5 }, { fails: 'EIO' }, { fails: 'EACCES' }];
    for (const { index } of await operations(options)) {
      for (const fault of faults) {
        const disk = await scriptDisk(options);
        const taken = await takeOver(options, new FaultyFiles(disk, at(index, fault))).catch(
          (error) => error,
        );
        if (taken instanceof Error) await takeOver(options, disk);
        await checkDone(disk, options);
      }
    }
  });
}
