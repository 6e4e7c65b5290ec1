import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DayMarks } from '../../src/service/day-marks.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('days whose files were written again are other days than before, and stay so', async (t) => {
  const folder = await temporaryFolder(t);
  const [a, b] = [join(folder, 'a.parquet'), join(folder, 'b.parquet')];
  const days = [
    { date: '2026-11-23', paths: [a] },
    { date: '2026-11-24', paths: [b] },
  ];
  for (const path of [a, b]) await writeFile(path, 'before');
  const rewritten: string[] = [];
  const marks = new DayMarks(nodeFiles, (path) => rewritten.push(path));
  assert.deepEqual(await marks.look(days, () => true), days);
  await writeFile(`${b}.new`, 'after');
  await rename(`${b}.new`, b);
  const expected = [days[0], { ...days[1], rewritings: 1 }];
  for (let look = 0; look < 2; look += 1) assert.deepEqual(await marks.look(days, () => true), expected);
  assert.deepEqual(rewritten, [b]);
});

test('a file that has the number of the one that it replaced is another one', async () => {
  let modifiedAt = 1;
  const files = { ...nodeFiles, stat: async () => ({ ...stated, modifiedAt }) };
  const rewritten: string[] = [];
  const marks = new DayMarks(files, (path) => rewritten.push(path));
  const days = [{ date: '2026-11-23', paths: ['a.parquet'] }];
  await marks.look(days, () => true);
  modifiedAt = 2;
  assert.equal((await marks.look(days, () => true))[0]!.rewritings, 1);
  assert.deepEqual(rewritten, ['a.parquet']);
});

const stated = { id: 7, size: 1, isFile: true, links: 1, uid: 0, gid: 0, mode: 0o644 };
