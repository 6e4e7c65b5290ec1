import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { fleetDatasets } from './fleet-datasets.js';
import { agreement, settled, shownUrl } from './looking.js';
import { ridesLog } from './rides.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Rules by which something does not work for somebody. */
const GRAVE = ['serious', 'critical'];

/** What axe-core finds, a line each. Evaluated by the browser's debugger, so the page's policy stays as it is. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations
    .filter(({ impact }) => GRAVE.includes(impact ?? ''))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

/** Not by `:focus`, which does not match while a part within a field of date and time has it. */
const LABEL =
  "[document.activeElement.getAttribute('aria-label'), document.activeElement.textContent].join(' ')";

const PAGES = ['', '#/fleet', '#/datasets/rides?last=20m&count__gt=10', '#/sql'];

for (const colorScheme of ['light', 'dark'] as const) {
  browserTest(`axe-core finds nothing serious, ${colorScheme}`, async (t, open) => {
    const rides = await ridesLog();
    const service = await startPageService(t, {
      datasets: [rides, ...Object.values(await fleetDatasets(2))],
      allowSql: true,
    });
    for (const hash of PAGES) {
      // A state that is bad has colours of its own.
      if (hash === '') rides.health.readAt = Date.now() - 400_000;
      const page = await open(service + hash, { colorScheme });
      await page.locator('main > :not(.empty)').waitFor();
      if (hash.includes('datasets')) await settled(page);
      if (hash.includes('fleet')) await page.locator('.zones circle').first().waitFor();
      assert.deepEqual(await findings(page), [], hash);
    }
  });
}

browserTest('a phone has no page that is wider than its screen', async (t, open) => {
  const service = await startPageService(t, {
    datasets: [await ridesLog(), ...Object.values(await fleetDatasets(2))],
    allowSql: true,
  });
  for (const hash of PAGES) {
    const page = await open(service + hash, { viewport: { width: 360, height: 740 }, locale: 'ko-KR' });
    await page.locator('main > :not(.empty)').waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, hash);
  }
});

browserTest('everything is within reach of the keyboard', async (t, open) => {
  const service = await startPageService(t, { datasets: [await ridesLog()] });
  const page = await open(service);
  await page.getByText('fresh').first().waitFor();
  const focused = page.locator(':focus');
  const tabTo = async (name: RegExp) => {
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press('Tab');
      const label = await page.evaluate<string>(LABEL);
      if (name.test(label)) return;
    }
    assert.fail(`no way to ${name}`);
  };

  await tabTo(/Skip to content/);
  await page.keyboard.press('Enter');
  assert.equal(await focused.getAttribute('id'), 'content');
  await tabTo(/^ rides/);
  await page.keyboard.press('Enter');
  await settled(page);
  // A new page begins at its content.
  assert.equal(await focused.getAttribute('id'), 'content');

  await tabTo(/^ 10m$/);
  await page.keyboard.press('Space');
  await agreement(page, '?last=10m');
  // The rows themselves scroll by the keyboard.
  await tabTo(/^rides /);
  assert.equal(await focused.getAttribute('class'), 'scroller');
  await tabTo(/^ count.*number/);
  await page.keyboard.press('Enter');
  await agreement(page, /sort=count$/);
  assert.match((await focused.textContent())!, /^count/);
  await tabTo(/^Filter count /);
  await page.keyboard.type('>80');
  await agreement(page, /count__gt=80/);
  await tabTo(/^ URL$/);
  const outline = await focused.evaluate(
    (one) => one.ownerDocument.defaultView!.getComputedStyle(one).outlineStyle,
  );
  assert.notEqual(outline, 'none');
  await page.keyboard.press('Enter');
  await page.locator('button[data-said]').waitFor();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), await shownUrl(page));
});
