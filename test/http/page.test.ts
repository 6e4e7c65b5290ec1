import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../support/temporary-folder.js';
import { COUNTS, createWorld } from './world.js';

test("the page's files have a strict Content-Security-Policy; those with a hash in their name are immutable", async (t) => {
  const webDir = await temporaryFolder(t);
  await mkdir(join(webDir, 'assets'));
  await writeFile(join(webDir, 'index.html'), '<!doctype html><title>dynamo-csv</title>');
  await writeFile(join(webDir, 'assets', 'page-ABCDEFG2.js'), 'console.log(1);');
  await writeFile(join(webDir, 'assets', 'page-ABCDEFG2.js.gz'), gzipSync('console.log(1);'));
  const world = await createWorld(t, { webDir });
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);

  const index = await world.http.inject('/');
  assert.equal(index.statusCode, 200);
  assert.match(String(index.headers['content-type']), /^text\/html/);
  assert.equal(index.headers['cache-control'], 'no-cache');
  const policy = String(index.headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.doesNotMatch(policy, /unsafe|https?:|upgrade-insecure/);
  assert.equal(index.headers['x-content-type-options'], 'nosniff');
  assert.equal(index.headers['strict-transport-security'], undefined);

  const url = '/assets/page-ABCDEFG2.js';
  const script = await world.http.inject({ url, headers: { 'accept-encoding': 'gzip' } });
  assert.equal(script.headers['content-encoding'], 'gzip');
  assert.match(String(script.headers['content-type']), /javascript/);
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
  const etag = String(script.headers.etag);
  const again = await world.http.inject({
    url,
    headers: { 'accept-encoding': 'gzip', 'if-none-match': etag },
  });
  assert.equal(again.statusCode, 304);

  for (const outside of ['/package.json', '/assets/', '/..%2Fpackage.json', '/assets/..%2F..%2Fsecret']) {
    assert.equal((await world.http.inject(outside)).statusCode, 404, outside);
  }
  const csv = await world.http.inject('/csv/flags');
  assert.equal(csv.headers['content-security-policy'], undefined);
});

test('without a page the service answers all the same', async (t) => {
  for (const webDir of [null, join(await temporaryFolder(t), 'not-built')]) {
    const world = await createWorld(t, { webDir });
    const response = await world.http.inject('/');
    assert.equal(response.statusCode, 404);
    assert.match(response.body, /^there is nothing at "\/"; see \/datasets [^\n]+\n$/);
    assert.equal((await world.http.inject('/healthz')).statusCode, 200);
  }
});
