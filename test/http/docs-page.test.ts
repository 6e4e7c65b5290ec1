import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { createWorld } from './world.js';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}`;

test('/docs works in a browser under its policy, and asks nobody else', { skip }, async (t) => {
  const world = await createWorld(t);
  const base = await world.listen();
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
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
