import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { get as request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { at, get, testDynamoDb, until } from '../app/world.js';
import { useS3 } from '../support/s3-servers.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { hasRole } from './world.js';

/** Days that retention removes while they are read: processes, real files, moto's S3. */

const s3 = useS3();

const DAY = 86_400_000;
const DAYS = 10;
const KEPT = 3;
/** Far more than the buffers between the service and a client that does not read. */
const [ITEMS_A_DAY, BYTES] = [5, 350_000];

const dateOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);

test('a long download from a follower is whole, though retention removes days meanwhile', {
  skip: s3.skip,
}, async (t) => {
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'S' });
  for (let daysAgo = 1; daysAgo < DAYS; daysAgo += 1) {
    const items = Array.from({ length: ITEMS_A_DAY }, (_, index) => ({
      id: { S: `item ${daysAgo} ${index}` },
      created_at: { S: `${dateOf(daysAgo)}T12:00:00Z` },
      // Text that cannot be compressed well.
      note: { S: randomBytes(BYTES / 2).toString('hex') },
    }));
    for (const item of items) await database.put(table, [item]);
  }
  const bucket = await s3.newBucket();
  const start = (role: string, dataDir: string, options = '') =>
    startService(t, {
      config: `
timeZone: UTC
tables: { ${table}: { log: append, time: created_at, interval: 1m, keep: 1${options} } }
archive: { bucket: ${bucket}, prefix: fleet/, every: 500ms }
`,
      env: { ROLE: role, ...at(database.endpoint), AWS_ENDPOINT_URL_S3: s3.endpoint },
      dataDir,
    });
  const folder = await temporaryFolder(t);
  const [own, others] = [join(folder, 'collector'), join(folder, 'follower')];
  const first = await start('auto', own);
  await first.logged(({ msg }) => msg === 'sealed closed days');
  const follower = await start('follow', others);
  const url = await follower.url;
  await hasRole(follower, 'follow');
  const all = `/csv/${table}?from=2000-01-01T00:00:00Z&sort=id`;
  const ids = `${all}&columns=id`;
  await until(url, ids, ({ text }) => text.split('\n').length === (DAYS - 1) * ITEMS_A_DAY + 2);
  const whole = (await get(url, all)).text;
  assert.ok(whole.length > (DAYS - 1) * ITEMS_A_DAY * BYTES);

  // A client that reads nothing for now.
  const [answer] = await once(request(`${url}${all}`), 'response');
  assert.equal(answer.statusCode, 200);
  await first.end();
  const again = await start('auto', own, `, retention: ${KEPT}`);
  await again.logged(({ msg }) => msg === 'deleted days beyond the retention');
  await until(url, ids, ({ text }) => !text.includes(`item ${DAYS - 1} `));
  assert.ok((await text(answer)) === whole, 'the download is what it was when it began');

  const left = (await readdir(join(others, 'history', table), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  for (const name of left) assert.ok(name.slice(-18, -8) > dateOf(KEPT), name);
  assert.ok((await get(url, ids)).text.includes('item 1 '));
});
