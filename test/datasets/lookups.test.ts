import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLookups } from '../../src/datasets/lookups.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { logLines } from '../support/log-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('lookups that are not CSV are skipped, each with a logged reason, and the others are served', async (t) => {
  const dir = join(await temporaryFolder(t), 'lookups');
  await mkdir(dir);
  const files: readonly (readonly [name: string, content: string | Buffer, says: RegExp | null])[] = [
    ['binary', Buffer.from([0xff, 0xfe, 0x00]), /lookups\/binary\.csv is not UTF-8 text; save it as/],
    ['nul', 'id,name\n1,a\0b\n', /nul\.csv is not UTF-8 text/],
    ['torn', 'id,name\n1\n', /Line 2 of .*torn\.csv has 1 cells/],
    ['twice', 'id,name,id\n1,a,2\n', /Line 1 of .*twice\.csv has two columns "id"; correct that line/],
    ['zones', 'id,name\n1,Alphabet City\n', null],
  ];
  for (const [name, content] of files) await writeFile(join(dir, `${name}.csv`), content);
  const { logger, lines } = logLines('error');
  const registry = new DatasetRegistry();
  const clock = { now: () => 0, sleep: async () => undefined };
  await openLookups({ dir, shown: 'lookups', registry, clock, logger });
  assert.deepEqual(
    registry.list().map(({ name }) => name),
    ['zones'],
  );
  const expected = files.flatMap(([, , says]) => says ?? []);
  assert.equal(lines.length, expected.length);
  for (const [index, says] of expected.entries()) assert.match(lines[index]!.msg, says);
});
