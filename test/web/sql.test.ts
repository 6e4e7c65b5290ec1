import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { copied, settled, shownTable, tableOfUrl } from './looking.js';
import { ridesLog } from './rides.js';

async function started(t: TestContext, allowSql: boolean): Promise<string> {
  return startPageService(t, { datasets: [await ridesLog()], allowSql });
}

const SQL = `SELECT "timestamp", count AS pickups
FROM rides
WHERE counter_type = 'pickup' AND note IS DISTINCT FROM '#?&+%'
ORDER BY 1`;

browserTest('SQL is run by Ctrl-Enter, shown as table and plot, and has a URL', async (t, open) => {
  const page = await open(`${await started(t, true)}#/sql`);
  await page.getByRole('textbox').fill(SQL);
  await page.keyboard.press('Control+Enter');
  await settled(page);
  const expected = await tableOfUrl(page);
  assert.equal(expected.length, 11);
  assert.deepEqual(await shownTable(page), expected);
  await page.locator('.plot canvas').waitFor();
  assert.equal(
    await (await fetch(await copied(page, 'URL'))).text().then((text) => text.split('\n')[0]),
    'timestamp,pickups',
  );

  // The address runs it again, elsewhere.
  const other = await open(page.url());
  await settled(other);
  assert.equal(await other.getByRole('textbox').inputValue(), SQL);
  assert.deepEqual(await shownTable(other), expected);
});

browserTest('a mistake is marked where it is', async (t, open) => {
  const page = await open(`${await started(t, true)}#/sql`);
  const field = page.getByRole('textbox');
  await field.fill('SELECT count,\n  cuont\nFROM rides');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('See line 2, column 3.').waitFor();
  await page.getByRole('alert').getByText('cuont').waitFor();
  const marked = await field.evaluate((element) => {
    const { value, selectionStart, selectionEnd } = element as unknown as HTMLTextAreaElement;
    return value.slice(selectionStart, selectionEnd);
  });
  assert.equal(marked, 'cuont');
});

browserTest('where SQL is not allowed there is no page for it', async (t, open) => {
  const page = await open(await started(t, false));
  await page.getByText('fresh').first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'SQL' }).isVisible(), false);
});

interface HTMLTextAreaElement {
  readonly value: string;
  readonly selectionStart: number;
  readonly selectionEnd: number;
}
