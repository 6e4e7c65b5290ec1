import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { settled, shownTable } from './looking.js';
import { taxis } from './rides.js';

const ROWS = 200_000;
/** Rows that one step of scrolling may make text: those in sight, and a margin. */
const MOST_ROWS = 200;
/** Bytes of a row, and changes of the document for one, at most. */
const [ROW_BYTES, ROW_CHANGES] = [40, 20];

browserTest(`of ${ROWS} rows a step of scrolling touches those in sight only`, async (t, open) => {
  const service = await startPageService(t, { datasets: [await taxis(ROWS)] });
  const page = await open(`${service}#/datasets/taxis`);
  await page.getByText('200,000 rows', { exact: false }).last().waitFor();
  await settled(page);
  const { decoded, bytes, changes } = await scroll(page);
  assert.ok(decoded > 0 && decoded < MOST_ROWS, `${decoded} rows`);
  assert.ok(bytes > 0 && bytes < MOST_ROWS * ROW_BYTES, `${bytes} bytes`);
  assert.ok(changes > 0 && changes < MOST_ROWS * ROW_CHANGES, `${changes} changes`);

  // It is one table for those who do not see it, and only what is in sight is in the document.
  const table = page.locator('.grid');
  assert.equal(await table.getAttribute('aria-rowcount'), String(ROWS + 2));
  const rows = await shownTable(page);
  assert.ok(rows.length < MOST_ROWS, `${rows.length}`);
  assert.equal(rows.at(-1)![0], String(ROWS - 1));
  const last = table.locator('tbody tr:not(.spacer)').last();
  assert.equal(await last.getAttribute('aria-rowindex'), String(ROWS + 2));
});

/** What a step of scrolling did at most: texts that it made of bytes, these bytes, and changes of the document. */
interface Work {
  decoded: number;
  bytes: number;
  changes: number;
}

/** Goes through all rows, by turns a page further and to a far place. */
function scroll(page: Page): Promise<Work> {
  return page.locator('.scroller').evaluate(async (scroller) => {
    const window = scroller.ownerDocument.defaultView!;
    const most = { decoded: 0, bytes: 0, changes: 0 };
    let now = { ...most };
    const { prototype } = window.TextDecoder;
    const { decode } = prototype;
    prototype.decode = function (bytes: Uint8Array, ...options: unknown[]) {
      now.decoded += 1;
      now.bytes += bytes.byteLength;
      return decode.call(this, bytes, ...options);
    };
    const observer = new window.MutationObserver((records: unknown[]) => {
      now.changes += records.length;
    });
    observer.observe(scroller, { subtree: true, childList: true, attributes: true, characterData: true });
    const frame = () => new Promise((resolve) => window.requestAnimationFrame(resolve));
    for (let step = 1; step <= 60; step += 1) {
      now = { decoded: 0, bytes: 0, changes: 0 };
      scroller.scrollTop = step % 2 === 0 ? (scroller.scrollHeight * step) / 60 : scroller.scrollTop + 500;
      await frame();
      for (const what of ['decoded', 'bytes', 'changes'] as const)
        most[what] = Math.max(most[what], now[what]);
    }
    await frame();
    observer.disconnect();
    prototype.decode = decode;
    return most;
  });
}
