import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { settled, shownTable } from './looking.js';
import { taxis } from './rides.js';

const ROWS = 200_000;
/** Milliseconds that scrolling may wait. */
const LONGEST = 200;
const RUNS = 4;

browserTest(`${ROWS} rows scroll without a long task`, async (t, open) => {
  const service = await startPageService(t, { datasets: [await taxis(ROWS)] });
  const page = await open(`${service}#/datasets/taxis`);
  await page.getByText('200,000 rows', { exact: false }).last().waitFor();
  await settled(page);
  // A machine that does other things too makes any task long: the calmest of a few runs tells what the page needs.
  let longest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && longest > LONGEST; run += 1)
    longest = Math.min(longest, await scroll(page));
  assert.ok(longest <= LONGEST, `${longest} ms`);

  // It is one table for those who do not see it, and only what is in sight is in the document.
  const table = page.locator('.grid');
  assert.equal(await table.getAttribute('aria-rowcount'), String(ROWS + 2));
  const rows = await shownTable(page);
  assert.ok(rows.length < 200, `${rows.length}`);
  assert.equal(rows.at(-1)![0], String(ROWS - 1));
  const last = table.locator('tbody tr:not(.spacer)').last();
  assert.equal(await last.getAttribute('aria-rowindex'), String(ROWS + 2));
});

/** Goes through all rows, by turns a page further and to a far place. Resolves to the longest task, in milliseconds. */
function scroll(page: Page): Promise<number> {
  return page.locator('.scroller').evaluate(async (scroller) => {
    const window = scroller.ownerDocument.defaultView!;
    let longest = 0;
    const observer = new window.PerformanceObserver((list: { getEntries(): { duration: number }[] }) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    });
    observer.observe({ type: 'longtask' });
    const frame = () => new Promise((resolve) => window.requestAnimationFrame(resolve));
    for (let step = 1; step <= 60; step += 1) {
      scroller.scrollTop = step % 2 === 0 ? (scroller.scrollHeight * step) / 60 : scroller.scrollTop + 500;
      await frame();
    }
    await frame();
    observer.disconnect();
    return longest;
  });
}
