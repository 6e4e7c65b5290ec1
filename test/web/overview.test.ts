import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { style } from './looking.js';
import { ridesLog, ridesRows, taxis } from './rides.js';

async function startedWith(t: TestContext) {
  const datasets = [await ridesLog(), await taxis(10)] as const;
  const service = await startPageService(t, { datasets });
  return { service, rides: datasets[0], taxis: datasets[1] };
}

browserTest('the overview tells of every dataset, and of a poll when it lands', async (t, open) => {
  const { service, rides } = await startedWith(t);
  const page = await open(service);
  const row = page.getByRole('row', { name: /rides/ });
  assert.match((await row.textContent())!, /rides.*log.*fresh/);
  assert.equal(await row.locator('[data-label=Rows]').textContent(), '20');
  await page.getByText('All 2 datasets are fresh').waitFor();

  const search = page.getByLabel('Find a dataset');
  await search.fill('rid');
  await rides.land(ridesRows(Date.now()).slice(0, 7));
  await row.locator('[data-label=Rows]').getByText('7', { exact: true }).waitFor();
  // What was typed, and where, is as it was.
  assert.equal(await search.inputValue(), 'rid');
  assert.equal(await page.locator(':focus').getAttribute('type'), 'search');
});

browserTest('a dataset that became stale turns red and says why', async (t, open) => {
  const { service, rides } = await startedWith(t);
  const page = await open(service);
  const mark = page.getByRole('row', { name: /rides/ }).locator('.mark');
  const colour = () => style(mark, 'color');
  await mark.getByText('fresh').waitFor();
  const fresh = await colour();

  rides.health.readAt = Date.now() - 365_000;
  rides.health.lastError = {
    code: 'TABLE_NOT_FOUND',
    message: 'There is no table rides; create it',
    at: Date.now(),
  };
  await mark.getByText('stale').waitFor();
  assert.notEqual(await colour(), fresh);
  await page.getByText('1 of 2 datasets needs attention').waitFor();
  const trouble = page.locator('.troubles li');
  assert.match(
    (await trouble.textContent())!,
    /Last read 6m ago; expected every 30s.*There is no table rides/,
  );
  assert.match((await page.locator('.frame > [role=status]').textContent())!, /rides is stale/);

  await rides.land(ridesRows(Date.now()));
  await page.getByText('All 2 datasets are fresh').waitFor();
  assert.equal(await colour(), fresh);
});

browserTest('days that cannot be read are trouble, and named with the reason', async (t, open) => {
  const { service, rides } = await startedWith(t);
  const page = await open(service);
  await page.getByText('All 2 datasets are fresh').waitFor();
  const missing = '2026-11-14.parquet is gone';
  rides.sealedDays = [14, 15].map((day) => ({ date: `2026-11-${day}`, paths: [], missing }));
  await page.getByText('1 of 2 datasets needs attention').waitFor();
  const sentence = `2 sealed days cannot be read: 2026-11-14, 2026-11-15 (${missing}).`;
  await page.locator('.troubles li').getByText(sentence).waitFor();
  await page.getByRole('row', { name: /rides/ }).getByText(sentence).waitFor();
  await page.getByRole('link', { name: 'rides' }).first().click();
  await page.locator('.facts .error').getByText(sentence).waitFor();
});

browserTest('a service that went away is said, and so is that it came back', async (t, open) => {
  const { service } = await startedWith(t);
  const page = await open(service);
  await page.getByText('All 2 datasets are fresh').waitFor();
  await page.route('**/datasets', (route) => route.abort());
  await page.getByRole('alert').getByText('has not responded for').waitFor();
  // What was known stays in sight.
  await page.getByText('All 2 datasets are fresh').waitFor();
  await page.unroute('**/datasets');
  await page.getByRole('alert').waitFor({ state: 'hidden' });
});

browserTest('the page speaks the language of the browser, or the one that was chosen', async (t, open) => {
  const { service } = await startedWith(t);
  const page = await open(service, { locale: 'ko-KR' });
  await page.getByText('데이터셋 2개가 모두 최신입니다').waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'ko');
  await page.getByLabel('언어').selectOption('en');
  await page.getByText('All 2 datasets are fresh').waitFor();
  assert.match(page.url(), /#\/en$/);
  await page.getByRole('link', { name: 'rides' }).click();
  assert.match(page.url(), /#\/en\/datasets\/rides$/);
});

browserTest('light and dark go by the system, or by the switch', async (t, open) => {
  const { service } = await startedWith(t);
  const page = await open(service, { colorScheme: 'dark' });
  const ground = () => style(page.locator('body'), 'background-color');
  const dark = await ground();
  await page.getByLabel('Colours').selectOption('light');
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await ground(), light);
});
