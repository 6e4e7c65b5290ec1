import assert from 'node:assert/strict';
import { parse } from 'csv-parse/sync';
import type { Locator, Page } from 'playwright-core';

/** What a reader of the page sees and does, and what the service says to the same. */

/** Header and rows; an absent value and an empty text are both nothing to see. */
export async function shownTable(page: Page): Promise<string[][]> {
  return page.locator('.grid').evaluate((table) => {
    const names = [...table.querySelectorAll('thead th .name')].map((name) => name.textContent ?? '');
    const rows = [...table.querySelectorAll('tbody tr:not(.spacer)')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
    );
    return [names, ...rows];
  });
}

/** The rows of the URL that the page shows, by the URL alone. */
export async function tableOfUrl(page: Page, headers: Record<string, string> = {}): Promise<string[][]> {
  const response = await fetch(await shownUrl(page), { headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return parse(text) as string[][];
}

export async function shownUrl(page: Page): Promise<string> {
  return (await page.locator('.url-bar .url').textContent())!;
}

/** Waits until the page shows exactly what its URL gives, and returns it. Few rows, so that all are in sight. */
export async function agreement(page: Page, query: string | RegExp): Promise<string[][]> {
  const url = page.locator('.url-bar .url');
  const escaped = typeof query === 'string' ? query.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : '';
  const pattern = typeof query === 'string' ? new RegExp(`/csv/[^?]+${escaped}$`) : query;
  await url.filter({ hasText: pattern }).waitFor();
  await settled(page);
  const rows = await tableOfUrl(page);
  assert.deepEqual(await shownTable(page), rows);
  return rows;
}

/** Waits until no rows are under way. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.result:not([aria-busy]) .status:not(:empty)');
}

/** Presses a copy button and returns what is on the clipboard. */
export async function copied(page: Page, what: string): Promise<string> {
  await page.getByRole('button', { name: what, exact: true }).click();
  await page.waitForSelector('.url-bar button[data-said]');
  return page.evaluate('navigator.clipboard.readText()');
}

/** What the browser makes of a property for that element. */
export function style(element: Locator, property: string): Promise<string> {
  return element.evaluate(
    (one, name) => one.ownerDocument.defaultView!.getComputedStyle(one).getPropertyValue(name),
    property,
  );
}
