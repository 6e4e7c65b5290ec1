import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'csv-parse/sync';
import { type Field, plugins } from '../grafana/plugins.js';
import type { JsonObject } from '../grafana/provisioning.js';
import { fillIn } from '../grafana/variables.js';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { copied, settled, shownTable, tableOfUrl } from './looking.js';
import { ridesLog, taxis } from './rides.js';

const WINDOWS = [
  '',
  '?last=25m&counter_type=pickup&sort=-count&limit=5',
  '?pivot=counter_type:count&last=1h',
  `?note__contains=${encodeURIComponent('a "quote", a')}&columns=timestamp,note`,
];
const TOKEN = 'a-token-for-tests';

async function started(t: TestContext, apiToken?: string) {
  const service = await startPageService(t, {
    datasets: [await ridesLog()],
    ...(apiToken === undefined ? {} : { apiToken }),
  });
  return service;
}

/** As the shell of a reader runs it. */
async function run(command: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout;
}

for (const query of WINDOWS) {
  browserTest(`what is copied gives the same rows: ${query || 'the whole dataset'}`, async (t, open) => {
    const service = await started(t);
    const page = await open(`${service}#/datasets/rides${query}`);
    await settled(page);
    const expected = await tableOfUrl(page);
    assert.deepEqual(await shownTable(page), expected);
    assert.ok(expected.length > 1);

    const plain = await fetch(await copied(page, 'URL'));
    assert.deepEqual(parse(await plain.text()), expected);
    assert.deepEqual(parse(await run(await copied(page, 'curl'))), expected);
    await sameInGrafana('csv', await copied(page, 'Grafana CSV'), service, expected);
    await sameInGrafana('infinity', await copied(page, 'Infinity'), service, expected);
  });
}

browserTest("queries for Grafana take the dashboard's time where the reader wants it", async (t, open) => {
  const service = await started(t);
  const page = await open(`${service}#/datasets/rides?last=10m&counter_type=pickup`);
  await settled(page);
  await page.getByLabel('Dashboard time').check();
  const [to, from] = [Date.now(), Date.now() - 20 * 60_000];
  const picked = { from, to, interval: '1m', variables: [] };
  const url = `${service}csv/rides?counter_type=pickup&from=${from}&to=${to}`;
  const expected = parse(await (await fetch(url)).text()) as string[][];
  assert.notDeepEqual(expected, await tableOfUrl(page));
  for (const [name, button] of [
    ['csv', 'Grafana CSV'],
    ['infinity', 'Infinity'],
  ] as const) {
    const query = JSON.parse(await copied(page, button)) as JsonObject;
    await sameInGrafana(name, JSON.stringify(fillIn(query, picked)), service, expected);
  }
  assert.match(await copied(page, 'URL'), /last=10m/);
});

browserTest('a dataset without time offers no time of a dashboard', async (t, open) => {
  const service = await startPageService(t, { datasets: [await taxis(2)] });
  const page = await open(`${service}#/datasets/taxis`);
  await settled(page);
  await page.getByRole('button', { name: 'Infinity' }).waitFor();
  assert.equal(await page.getByLabel('Dashboard time').isVisible(), false);
});

/** Asks as the plugin does, and compares what Grafana gets with the rows of the URL. */
async function sameInGrafana(
  name: keyof typeof plugins,
  copiedText: string,
  service: string,
  [header, ...rows]: string[][],
): Promise<void> {
  const query = JSON.parse(copiedText) as JsonObject;
  const environment = { DYNAMO_CSV_URL: service.replace(/\/$/, ''), DYNAMO_CSV_TOKEN: 'none' };
  const { address, headers } = plugins[name].request(query, environment);
  const response = await fetch(address, { headers });
  const fields = plugins[name].fields(query, response.status, await response.text());
  assert.deepEqual(
    fields.map(({ name }) => name).sort(),
    header!.map((name) => fieldOf(name, fields)).sort(),
  );
  for (const [index, name] of header!.entries()) {
    const field = fields.find((one) => one.name === fieldOf(name, fields))!;
    assert.deepEqual(
      field.values,
      rows.map((row) => cellValue(row[index]!, field.type)),
      name,
    );
  }
}

/** Infinity calls the time `Time`. */
function fieldOf(column: string, fields: readonly Field[]): string {
  return column === 'timestamp' && fields.some(({ name }) => name === 'Time') ? 'Time' : column;
}

function cellValue(cell: string, type: Field['type']): Field['values'][number] {
  if (type === 'string') return cell;
  if (cell === '') return null;
  return type === 'time' ? Date.parse(cell) : Number(cell);
}

browserTest('the token is asked for once, kept for the tab, and a placeholder in curl', async (t, open) => {
  const service = await started(t, TOKEN);
  const page = await open(`${service}#/datasets/rides`);
  await page.getByLabel('API_TOKEN').fill('a wrong one');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('This token is not valid.').waitFor();
  await page.getByLabel('API_TOKEN').fill(TOKEN);
  await page.keyboard.press('Enter');
  await settled(page);
  const expected = await tableOfUrl(page, { authorization: `Bearer ${TOKEN}` });
  assert.deepEqual(await shownTable(page), expected);

  const command = await copied(page, 'curl');
  assert.ok(!command.includes(TOKEN), command);
  assert.deepEqual(parse(await run(command, { API_TOKEN: TOKEN })), expected);

  await page.reload();
  await settled(page);
  assert.deepEqual(await page.evaluate('[Object.keys(sessionStorage), Object.keys(localStorage)]'), [
    ['dynamo-csv-token'],
    [],
  ]);
});
