import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { dashboardUid } from '../../src/dashboards/uid.js';
import type { DashboardJson, GroupJson } from '../grafana/provisioning.js';
import { startPageService } from '../support/page-service.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';
import { browserTest } from './browser.js';
import { settled } from './looking.js';

const TOKEN = 'a-token-for-tests';

async function started(
  t: TestContext,
  options: { readonly apiToken?: string; readonly grafanaUrl?: string } = {},
) {
  const orders = new ScriptedDataset({
    name: 'orders',
    columns: [column('id'), column('note'), column('price', 'number')],
    keys: ['id'],
  });
  await orders.land([
    ['a', '=1+1', '-5'],
    ['b', 'é', '7'],
  ]);
  const view = new ScriptedDataset({ name: 'prices', kind: 'view', columns: [column('price', 'number')] });
  await view.land([['1']]);
  return startPageService(t, { datasets: [orders, view], ...options });
}

/** What a button saves: its name and its bytes. */
async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: button, exact: true }).click();
  const download = await coming;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

browserTest('rows are saved as CSV for Excel, CSV, JSON and Parquet', async (t, open) => {
  const page = await open(`${await started(t)}#/datasets/orders?columns=note,price`);
  await settled(page);
  assert.deepEqual(await saved(page, 'CSV for Excel'), {
    name: 'orders.csv',
    text: "\uFEFFnote,price\n'=1+1,-5\né,7\n",
  });
  assert.deepEqual(await saved(page, 'CSV'), { name: 'orders.csv', text: 'note,price\n=1+1,-5\né,7\n' });
  const json = await saved(page, 'JSON');
  assert.deepEqual(
    [json.name, JSON.parse(json.text)],
    [
      'orders.json',
      [
        { note: '=1+1', price: -5 },
        { note: 'é', price: 7 },
      ],
    ],
  );
  const parquet = await saved(page, 'Parquet');
  assert.equal(parquet.name, 'orders.parquet');
  assert.match(parquet.text, /^PAR1/);
});

browserTest('a dataset has its dashboard, with the token, for the plugin that is chosen', async (t, open) => {
  const page = await open(`${await started(t, { apiToken: TOKEN })}#/datasets/orders`);
  await page.getByLabel('API_TOKEN').fill(TOKEN);
  await page.keyboard.press('Enter');
  await settled(page);
  for (const [plugin, uid] of [
    ['CSV', 'csv'],
    ['Infinity', 'infinity'],
  ] as const) {
    await page.getByLabel('Data source').selectOption({ label: plugin });
    const { name, text } = await saved(page, 'Dashboard JSON');
    const dashboard = JSON.parse(text) as DashboardJson;
    assert.deepEqual(
      [name, dashboard.title, dashboard.panels[0]!.datasource!.uid],
      ['orders.json', 'orders', uid],
    );
  }
});

browserTest('a table is opened in Grafana; a view, which has no dashboard there, is not', async (t, open) => {
  const service = await started(t, { grafanaUrl: 'http://grafana.example/sub' });
  const page = await open(`${service}#/datasets/orders`);
  const link = page.getByRole('link', { name: 'Open in Grafana' });
  assert.equal(await link.getAttribute('href'), `http://grafana.example/sub/d/${dashboardUid('orders')}`);
  const other = await open(`${service}#/datasets/prices`);
  await other.getByRole('button', { name: 'Dashboard JSON' }).waitFor();
  assert.equal(await other.getByRole('link', { name: 'Open in Grafana' }).count(), 0);
});

browserTest('an alert is shown as a file and copied as it is shown', async (t, open) => {
  const page = await open(`${await started(t)}#/datasets/orders`);
  await settled(page);
  await page.getByText('Alert to copy').click();
  const file = page.getByLabel('Provisioning file');
  await file.filter({ hasText: 'stale-' }).waitFor();
  await page.getByLabel('Fires when').selectOption({ label: 'a value is above' });
  await page.getByLabel('Above').fill('6.5');
  await file.filter({ hasText: '6.5' }).waitFor();
  await page.getByRole('button', { name: 'Copy alert' }).click();
  await page.waitForSelector('.grafana button[data-said]');
  const text = (await page.evaluate('navigator.clipboard.readText()')) as string;
  assert.equal(text, await file.textContent());
  const { groups } = parse(text) as { groups: GroupJson[] };
  assert.equal(groups[0]!.rules[0]!.title, 'Price of orders is above 6.5');
  await page.getByLabel('Above').fill('many');
  await page.getByText('value: "many" is not a number').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Copy alert' }).isDisabled(), true);
});
