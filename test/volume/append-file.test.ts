import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppendFile } from '../../src/volume/append-file.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const header = Buffer.from('id,count,timestamp\n');
const poll = (n: number): Buffer => Buffer.from(`a,${n},t${n}\nb,${n},t${n}\n`);

test('a log begins with its header and grows by appends, across restarts', async (t) => {
  const path = join(await temporaryFolder(t), 'flags.csv');
  const log = await AppendFile.open(path, nodeFiles, header);
  await Promise.all([log.append(poll(1)), log.append(poll(2))]);
  await log.close();
  const again = await AppendFile.open(path, nodeFiles, Buffer.from('another header\n'));
  assert.equal(again.recovery, null);
  await again.append(poll(3));
  const expected = Buffer.concat([header, poll(1), poll(2), poll(3)]);
  assert.deepEqual(await again.read(), expected);
  assert.deepEqual(await readFile(path), expected);
  assert.equal(again.size, expected.length);
  await again.close();
});

test('replacing is atomic, and appending continues after it', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flags.csv');
  const log = await AppendFile.open(path, nodeFiles, header);
  await log.append(poll(1));
  await log.replace([Buffer.from('id,count,new,timestamp\n'), Buffer.from('a,1,,t1\n')]);
  await log.append(Buffer.from('a,2,x,t2\n'));
  assert.equal(await readFile(path, 'utf8'), 'id,count,new,timestamp\na,1,,t1\na,2,x,t2\n');
  await log.close();
  assert.deepEqual((await readdir(dir)).sort(), ['.dynamo-csv', 'flags.csv']);
});

for (const torn of ['a,3', 'a,"open\n', 'a,3,t3\nb,"x', '"']) {
  test(`a torn last line is truncated, logged and kept: ${JSON.stringify(torn)}`, async (t) => {
    const dir = await temporaryFolder(t);
    const path = join(dir, 'flags.csv');
    const whole = Buffer.concat([header, poll(1)]);
    await writeFile(path, Buffer.concat([whole, Buffer.from(torn)]));
    const kept = torn.startsWith('a,3,t3\n') ? 'a,3,t3\n' : '';
    const cut = torn.slice(kept.length);
    const log = await AppendFile.open(path, nodeFiles, header);
    const keptAt = join(dir, '.dynamo-csv/flags.csv.cut');
    assert.deepEqual(log.recovery, { bytesCut: cut.length, what: 'line', keptAt });
    assert.equal(await readFile(keptAt, 'utf8'), cut);
    assert.equal(await readFile(path, 'utf8'), whole + kept);
    await log.close();
  });
}

test('a second torn line is kept beside the first', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flags.csv');
  for (const [torn, name] of [
    ['a,1', 'flags.csv.cut'],
    ['a,2', 'flags.csv-2.cut'],
    ['a,1', 'flags.csv.cut'],
  ] as const) {
    await writeFile(path, `${header}${torn}`);
    const log = await AppendFile.open(path, nodeFiles, header);
    assert.equal(log.recovery?.keptAt, join(dir, '.dynamo-csv', name));
    await log.close();
  }
});

test('a file with a torn header begins anew', async (t) => {
  const path = join(await temporaryFolder(t), 'flags.csv');
  await writeFile(path, 'id,cou');
  const log = await AppendFile.open(path, nodeFiles, header);
  assert.equal(log.recovery?.bytesCut, 6);
  assert.deepEqual(await log.read(), header);
  await log.close();
});

test('a file of many megabytes with quoted line ends is recovered at the right place', async (t) => {
  const path = join(await temporaryFolder(t), 'flags.csv');
  const row = `"${'line\n'.repeat(50)}","say ""hi""",t\n`;
  const whole = `id,text,timestamp\n${row.repeat(12_000)}`;
  await writeFile(path, `${whole}"line\n`);
  const log = await AppendFile.open(path, nodeFiles);
  assert.equal(log.size, whole.length);
  await log.close();
});

test('another program that writes to the log, or replaces it, is noticed and nothing is overwritten', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flags.csv');
  const log = await AppendFile.open(path, nodeFiles, header);
  await appendFile(path, 'python,1,now\n');
  await assert.rejects(log.append(poll(1)), {
    code: 'LOG_CHANGED_OUTSIDE',
    message: /wrote to .*flags\.csv/,
  });
  assert.equal(await readFile(path, 'utf8'), `${header}python,1,now\n`);
  await truncate(path, header.length);
  await log.append(poll(1));
  await writeFile(join(dir, 'other.csv'), 'x\n');
  await rename(join(dir, 'other.csv'), path);
  await assert.rejects(log.append(poll(2)), { code: 'LOG_CHANGED_OUTSIDE', message: /replaced or removed/ });
  await rm(path);
  await log.close();
});
