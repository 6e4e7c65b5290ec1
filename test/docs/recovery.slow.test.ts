import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { useS3 } from '../support/s3-servers.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writtenArchive } from '../support/written-archive.js';

/** The commands of docs/recovery.md, as they are written there. */

const s3 = useS3();

async function drills(): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(projectRoot, 'docs', 'recovery.md'), 'utf8');
  const section = /^## Drills\n(.*?)^## /ms.exec(text)?.[1] ?? '';
  return [...section.matchAll(/^npm start -- (.+)$/gm)].map(([, args]) => args!.split(' '));
}

test('the drills do what they say', { skip: s3.skip }, async (t) => {
  const bucket = await s3.newBucket();
  const place = { endpoint: s3.endpoint, bucket, prefix: 'fleet/' };
  const dates = ['2026-06-01', '2026-11-22', '2026-11-23'];
  const { takePoint } = await writtenArchive(t, place, dates);
  await takePoint(Date.parse('2026-11-24T09:59:00Z'));
  await takePoint(Date.parse('2026-11-25T00:00:00Z'));
  const folder = await temporaryFolder(t);
  const config = `tables: { orders: {} }\narchive: { bucket: ${bucket}, prefix: fleet/ }\n`;
  const said = new Map<string, { readonly output: string; readonly errors: string }>();
  for (const args of await drills()) {
    const to = args.indexOf('--to') + 1;
    const elsewhere = args.map((arg, index) => (index === to && to > 0 ? join(folder, arg) : arg));
    const env = { AWS_ENDPOINT_URL_S3: s3.endpoint };
    const drill = await startService(t, { config, env, args: elsewhere });
    assert.equal((await drill.exit).code, 0, `${args.join(' ')}: ${drill.errors()}`);
    said.set(args.join(' '), { output: drill.output(), errors: drill.errors() });
  }
  assert.deepEqual(
    [...said.keys()],
    [
      'verify',
      'restore --to restored',
      'restore --to recent --days 90',
      'restore --to yesterday --at 2026-11-24T10:00:00Z',
    ],
  );
  assert.match(said.get('verify')!.output, /^4 files are as they were archived, and all 4,500 rows of 3 /);
  const daysIn = async (name: string) =>
    (await readdir(join(folder, name, 'history', 'orders'))).filter((day) => day.startsWith('date=')).sort();
  const folders = dates.map((date) => `date=${date}`);
  assert.deepEqual(await daysIn('restored'), folders);
  assert.deepEqual(await daysIn('recent'), folders.slice(1));
  assert.match(said.get('restore --to restored')!.errors, /^Point 2 of /);
  assert.match(said.get('restore --to yesterday --at 2026-11-24T10:00:00Z')!.errors, /^Point 1 of /);
  assert.equal(await readFile(join(folder, 'yesterday', 'orders.csv'), 'utf8'), 'id\n1\n');
});
