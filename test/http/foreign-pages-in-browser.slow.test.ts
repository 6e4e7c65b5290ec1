import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { COUNTS, createWorld } from './world.js';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Milliseconds for anything in the browser, on a machine that does other things too. */
const PATIENCE = 60_000;
const skip = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}`;

/** A page of another site, in a Chromium whose name server says that its name is this machine's. */
async function openForeignPage(t: TestContext): Promise<Page> {
  const site = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title>');
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  const args = ['--no-sandbox', '--host-resolver-rules=MAP evil.example 127.0.0.1'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: PATIENCE });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`http://evil.example:${(site.address() as AddressInfo).port}/`);
  return page;
}

test('in a browser a page whose name became that of this machine reads nothing', { skip }, async (t) => {
  const world = await createWorld(t);
  await (await world.table('flags')).poll(COUNTS, [['a', '1']]);
  const { port } = new URL(await world.listen());
  const page = await openForeignPage(t);
  await page.goto(`http://evil.example:${port}/healthz`);
  const read = (path: string) =>
    page.evaluate(async (url) => {
      const response = await fetch(url);
      return { status: response.status, text: await response.text() };
    }, path);
  for (const path of ['/csv/flags', '/datasets', '/metrics']) {
    const { status, text } = await read(path);
    assert.equal(status, 421, path);
    assert.match(text, /^this service is not known as "evil\.example"/);
  }
});

test("in a browser another site's page starts no SQL, and the service's own page does", {
  skip,
}, async (t) => {
  const world = await createWorld(t, { config: { allowSql: true } });
  const base = (await world.listen()).replace('127.0.0.1', 'localhost');
  const page = await openForeignPage(t);
  await page.evaluate(async (url) => {
    const headers = { 'content-type': 'text/plain' };
    await fetch(`${url}/sql`, { method: 'POST', mode: 'no-cors', headers, body: 'SELECT 1' });
    await fetch(`${url}/csv?sql=SELECT+1`, { mode: 'no-cors' });
  }, base);
  await page.setContent(`<img src="${base}/csv?sql=SELECT+2">`);
  const requests = world.log.filter(({ msg }) => msg === 'request');
  assert.deepEqual(
    requests.map(({ method, path, status }) => [method, path, status]),
    [
      ['POST', '/sql', 403],
      ['GET', '/csv', 403],
      ['GET', '/csv', 403],
    ],
  );
  assert.deepEqual(world.queries.asked, []);
  await page.goto(`${base}/healthz`);
  const own = await page.evaluate(async () => {
    const response = await fetch('/sql', { method: 'POST', body: 'SELECT 1' });
    return response.text();
  });
  assert.equal(own, 'one\n1\n');
});
