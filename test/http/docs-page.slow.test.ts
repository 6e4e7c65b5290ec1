import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { chromium } from 'playwright-core';
import { createWorld } from './world.js';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Milliseconds for anything in the browser, on a machine that does other things too. */
const PATIENCE = 60_000;
const skip = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}`;

test('/docs works in a browser under its Content-Security-Policy and loads nothing from elsewhere', {
  skip,
}, async (t) => {
  const world = await createWorld(t);
  const base = await world.listen();
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    timeout: PATIENCE,
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const hosts = new Set<string>();
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).origin);
  });
  await page.goto(`${base}/docs`);
  await page.locator('#operations-service-get_healthz').getByRole('button').first().click();
  await page.getByText('Try it out').click();
  const answered = page.waitForResponse(`${base}/healthz`);
  await page.getByRole('button', { name: 'Execute' }).click();
  assert.equal((await answered).status(), 200);
  await page.locator('.live-responses-table').waitFor();
  assert.deepEqual(complaints, []);
  assert.deepEqual([...hosts], [base]);
});

/** A proxy that takes a path prefix away, as many are set up. Resolves to its address with the prefix. */
async function startProxy(t: TestContext, target: string): Promise<string> {
  const proxy = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/data(?=\/)/, '');
    if (path === request.url) return void response.writeHead(404).end();
    get(`${target}${path}`, { headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/data`;
}

test('/docs works behind a proxy that strips a path prefix, with and without a slash', {
  skip,
}, async (t) => {
  const base = await startProxy(t, await (await createWorld(t)).listen());
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    timeout: PATIENCE,
  });
  t.after(() => browser.close());
  for (const path of ['/docs', '/docs/']) {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const failed: string[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) failed.push(response.url());
    });
    await page.goto(`${base}${path}`);
    await page.locator('#operations-service-get_healthz').getByRole('button').first().click();
    await page.getByText('Try it out').click();
    const answered = page.waitForResponse(`${base}/healthz`);
    await page.getByRole('button', { name: 'Execute' }).click();
    assert.equal((await answered).status(), 200);
    assert.deepEqual(failed, [], path);
  }
});

test('the OpenAPI document names its server relative to itself', async (t) => {
  const { http } = await createWorld(t);
  const { servers } = (await http.inject('/openapi.json')).json();
  const urls = servers.map(({ url }: { url: string }) => new URL(url, 'https://host/data/openapi.json').href);
  assert.deepEqual(urls, ['https://host/data/']);
});
