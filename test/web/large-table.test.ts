import assert from 'node:assert/strict';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { settled, shownTable } from './looking.js';
import { taxis } from './rides.js';

const ROWS = 200_000;
/** Milliseconds that scrolling may wait. */
const LONGEST = 200;

browserTest(`${ROWS} rows scroll without a long task`, async (t, open) => {
  const service = await startPageService(t, { datasets: [await taxis(ROWS)] });
  const page = await open(`${service}#/datasets/taxis`);
  await page.getByText('200,000 rows', { exact: false }).last().waitFor();
  await settled(page);
  const tasks = await page.locator('.scroller').evaluate(async (scroller) => {
    const window = scroller.ownerDocument.defaultView!;
    const durations: number[] = [];
    const observer = new window.PerformanceObserver((list: { getEntries(): { duration: number }[] }) => {
      for (const { duration } of list.getEntries()) durations.push(duration);
    });
    observer.observe({ type: 'longtask', buffered: true });
    const frame = () => new Promise((resolve) => window.requestAnimationFrame(resolve));
    for (let step = 1; step <= 60; step += 1) {
      // By turns a page further and to a far place.
      scroller.scrollTop = step % 2 === 0 ? (scroller.scrollHeight * step) / 60 : scroller.scrollTop + 500;
      await frame();
    }
    await frame();
    return durations;
  });
  assert.deepEqual(
    tasks.filter((duration) => duration > LONGEST),
    [],
  );

  // It is one table for those who do not see it, and only what is in sight is in the document.
  const table = page.locator('.grid');
  assert.equal(await table.getAttribute('aria-rowcount'), String(ROWS + 2));
  const rows = await shownTable(page);
  assert.ok(rows.length < 200, `${rows.length}`);
  assert.equal(rows.at(-1)![0], String(ROWS - 1));
  const last = table.locator('tbody tr:not(.spacer)').last();
  assert.equal(await last.getAttribute('aria-rowindex'), String(ROWS + 2));
});
