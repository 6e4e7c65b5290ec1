import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { systemClock } from '../../src/base/clock.js';
import { get, testDynamoDb, until } from '../app/world.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { expectedColumns, labelSets } from './contract.js';
import { GrafanaSchemas } from './grafana-schema.js';
import { assertFieldsKnown, assertGrid } from './panels.js';
import { type Field, plugins } from './plugins.js';
import {
  type DashboardJson,
  type FlavourName,
  flavourNames,
  type GroupJson,
  type JsonObject,
  panelsOf,
  type VariableJson,
} from './provisioning.js';
import * as schemas from './schemas.js';
import { fillIn, type Picked, pickedTime } from './variables.js';
import { changeZoo, createZoo, ZOO_VIEW, zooConfig } from './zoo.js';

/** The most that one panel may fetch. */
const MAX_PANEL_BYTES = 300_000;
const ajv = new Ajv({ allErrors: true });
const grafana = new GrafanaSchemas();

interface DatasetJson {
  readonly name: string;
  readonly kind: string;
  readonly rows: number | null;
  readonly readAt: string | null;
}

test('every dashboard made for the zoo is what Grafana loads, and each of its queries is answered', async (t) => {
  const { url, end } = await startZoo(t);
  const { datasets } = (await (await fetch(`${url}/datasets`)).json()) as { datasets: DatasetJson[] };
  assert.ok(datasets.length > 35, `${datasets.length} datasets`);
  for (const flavour of flavourNames) {
    // Of two dashboards in a folder with one uid or title Grafana's file provider writes neither.
    const taken = new Set<string>();
    for (const { name } of datasets) {
      await t.test(`${flavour}: ${name}`, async () => {
        const { uid, title } = await checkDashboard(url, name, flavour);
        for (const one of [`uid ${uid}`, `title ${title.toLowerCase()}`]) {
          assert.ok(!taken.has(one), one);
          taken.add(one);
        }
      });
      await t.test(`${flavour}: alerts of ${name}`, () => checkAlerts(url, name, flavour));
    }
  }
  await t.test('what the dashboards of some tables show', () => checkPanels(url));
  await t.test('a number is drawn as a line for each key', () => checkLines(url));
  await end();
});

/** A service that has read the zoo, and its changes once. */
async function startZoo(t: TestContext): Promise<{ url: string; end: () => Promise<unknown> }> {
  const database = await testDynamoDb(t);
  await createZoo(database);
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'views'));
  await writeFile(join(folder, 'views', 'orders-in-time.sql'), ZOO_VIEW);
  await mkdir(join(folder, 'lookups'));
  await writeFile(join(folder, 'lookups', 'a lookup.csv'), 'name,amount\na,1\n"b, c",2\n');
  const service = await startService(t, {
    config: `views: ${join(folder, 'views')}\nlookups: ${join(folder, 'lookups')}\n${zooConfig()}`,
    env: { AWS_ENDPOINT_URL_DYNAMODB: database.endpoint, LOG_LEVEL: 'warn' },
  });
  const url = await service.url;
  await until(url, '/readyz', ({ status }) => status === 200);
  await changeZoo(database);
  await until(url, '/csv/sensors-changes', ({ text }) => text.includes('update'));
  await until(url, '/csv/our-own-names-changes', ({ text }) => text.includes('update'));
  // Before its folder is removed.
  return { url, end: () => service.end() };
}

async function dashboardOf(url: string, name: string, flavour: FlavourName): Promise<DashboardJson> {
  const response = await fetch(
    `${url}/grafana/dashboards/${encodeURIComponent(name)}.json?datasource=${flavour}`,
  );
  assert.equal(response.status, 200, await response.clone().text());
  assert.match(response.headers.get('content-type')!, /^application\/json/);
  return (await response.json()) as DashboardJson;
}

async function checkDashboard(url: string, name: string, flavour: FlavourName): Promise<DashboardJson> {
  const dashboard = await dashboardOf(url, name, flavour);
  assert.ok(ajv.validate(schemas.dashboardFile, dashboard), ajv.errorsText(ajv.errors));
  assert.deepEqual(grafana.mistakes(dashboard), []);
  assert.equal(dashboard.title, name);
  assertGrid(dashboard);
  const panels = panelsOf(dashboard);
  const ids = [...dashboard.panels, ...panels.filter((panel) => !dashboard.panels.includes(panel))].map(
    ({ id }) => id,
  );
  assert.equal(new Set(ids).size, ids.length, String(ids));
  const list: VariableJson[] = [];
  for (const variable of dashboard.templating.list) list.push(await offered(variable, flavour, url));
  for (const panel of panels) {
    assert.ok((panel.description ?? '').length > 20, panel.title);
    assertFieldsKnown(panel, panel.title);
    const picked = pickedTime({ ...dashboard, templating: { list } }, panel, systemClock.now());
    let bytes = 0;
    for (const target of panel.targets!) bytes += await answered(target, picked, flavour, url);
    assert.ok(bytes < MAX_PANEL_BYTES, `${panel.title} fetches ${bytes} bytes`);
  }
  return dashboard;
}

/** The variable with everything that can be chosen: a list in the file, or what the service answers. */
async function offered(variable: VariableJson, flavour: FlavourName, url: string): Promise<VariableJson> {
  assert.match(variable.name, /^\w+$/);
  assert.deepEqual(variable.current.value, ['$__all']);
  if (variable.type === 'custom') return variable;
  const { infinityQuery, meta } = variable.query as {
    infinityQuery: JsonObject;
    meta: { valueField: string };
  };
  const { fields } = await ask(infinityQuery, flavour, url);
  const { values } = fields.find(({ name }) => name === meta.valueField)!;
  assert.ok(values.length > 0, `${variable.name} offers nothing`);
  return { ...variable, options: values.map((value) => ({ value: String(value) })) };
}

async function answered(
  target: JsonObject,
  picked: Picked | null,
  flavour: FlavourName,
  url: string,
): Promise<number> {
  const query = picked === null ? target : fillIn(target, picked);
  const { fields, bytes, address } = await ask(query, flavour, url);
  for (const { name, text, type } of expectedColumns(query)) {
    const field = fields.find((candidate) => candidate.name === text);
    assert.ok(field !== undefined && field.cells !== null, `${address} has no column ${name}`);
    for (const [row, cell] of field.cells.entries()) {
      const isAbsent = cell === 'null' || cell === '';
      assert.ok(isAbsent || field.values[row] !== null, `${address}: ${name} is no ${type}: ${cell}`);
      assert.ok(
        flavour !== 'csv' || type !== 'number' || cell !== '',
        `${address}: ${name} would be read as 0`,
      );
    }
  }
  return bytes;
}

async function ask(
  query: JsonObject,
  flavour: FlavourName,
  url: string,
): Promise<{ fields: readonly Field[]; bytes: number; address: URL }> {
  const { request, fields } = plugins[flavour];
  const { address, headers } = request(query, { DYNAMO_CSV_URL: url, DYNAMO_CSV_TOKEN: 'none' });
  const { pathname, search, origin } = address;
  const { status, text } = await get(origin, pathname + search, headers);
  assert.equal(status, 200, `${address} → ${text}`);
  return { fields: fields(query, status, text), bytes: Buffer.byteLength(text), address };
}

/** Each alert of the dataset that it can have is a file that Grafana reads, with a query that alerting takes. */
async function checkAlerts(url: string, name: string, flavour: FlavourName): Promise<void> {
  for (const alert of ['alert=stale&older=10m', 'alert=above&value=1.5', 'alert=empty&for=5m']) {
    const path = `${url}/grafana/alerts/${encodeURIComponent(name)}.yaml?${alert}&datasource=${flavour}`;
    const response = await fetch(path);
    const text = await response.text();
    if (response.status === 400) {
      assert.match(text, /^.+ cannot have this alert: .+; choose another alert\n$/);
      continue;
    }
    assert.equal(response.status, 200, text);
    const file = parse(text) as { groups: GroupJson[] };
    assert.ok(ajv.validate(schemas.rulesFile, file), ajv.errorsText(ajv.errors));
    const [rule] = file.groups[0]!.rules;
    const query = rule!.data[0]!.model;
    const { fields } = await ask(query, flavour, url);
    await answered(query, null, flavour, url);
    labelSets({ fields, rows: fields[0]!.values.length, bytes: 0 });
  }
}

async function checkPanels(url: string): Promise<void> {
  const shown = async (name: string) =>
    panelsOf(await dashboardOf(url, name, 'csv')).map(({ type, title }) => `${type}: ${title}`);
  assert.deepEqual(await shown('sensors'), [
    'stat: Rows',
    'stat: Age',
    'stat: Changes',
    'timeseries: Humidity percent',
    'timeseries: Temperature celsius',
    'table: Humidity percent',
    'table: Temperature celsius',
    'timeseries: Changes over time',
    'table: Last changes',
    'table: Rows',
  ]);
  assert.deepEqual(await shown('orders'), [
    'stat: Rows',
    'stat: Age',
    'stat: Changes',
    'table: Items',
    'table: Total price',
    'timeseries: Changes over time',
    'table: Last changes',
    'table: Rows',
  ]);
  assert.deepEqual(await shown('no-numbers'), ['stat: Rows', 'stat: Age', 'table: Rows']);
  assert.deepEqual(await shown('orders-in-time'), [
    'stat: Rows',
    'timeseries: Rows over time',
    'timeseries: Total price',
    'table: Total price',
    'table: Rows',
  ]);
  assert.deepEqual(await shown('events'), [
    'stat: Rows',
    'stat: Age',
    'timeseries: Rows over time',
    'timeseries: Amount usd',
    'table: Amount usd',
    'table: Rows',
  ]);
  assert.deepEqual(await shown('appended'), [
    'stat: Rows',
    'stat: Age',
    'timeseries: Rows over time',
    'timeseries: Temperature',
    'table: Temperature',
    'table: Rows',
  ]);
  const { templating, panels } = await dashboardOf(url, 'sensors', 'csv');
  assert.deepEqual(
    templating.list.map(({ name, options }) => [name, options?.map(({ value }) => value)]),
    [['device', ['$__all', 'device 0', 'device 1', 'device 2', 'device 3', 'device 4']]],
  );
  const unitOf = (title: string) =>
    panels.find((panel) => panel.title === title && panel.type === 'timeseries')!.fieldConfig!.defaults.unit;
  assert.equal(unitOf('Humidity percent'), 'percent');
  assert.equal(unitOf('Temperature celsius'), 'celsius');
}

async function checkLines(url: string): Promise<void> {
  for (const flavour of flavourNames) {
    const dashboard = await dashboardOf(url, 'sensors', flavour);
    const panel = panelsOf(dashboard).find(({ title }) => title === 'Temperature celsius')!;
    const list = await Promise.all(dashboard.templating.list.map((one) => offered(one, flavour, url)));
    const picked = pickedTime({ ...dashboard, templating: { list } }, panel, systemClock.now());
    const { fields } = await ask(fillIn(panel.targets![0]!, picked), flavour, url);
    const cells = (name: string) => fields.find((field) => field.name === name)!.values;
    assert.deepEqual(
      [...new Set(cells('device'))],
      ['device 0', 'device 1', 'device 2', 'device 3', 'device 4'],
    );
    const numbers = cells('value') as number[];
    assert.ok(
      numbers.every((number) => number >= 20 && number < 22),
      String(numbers),
    );
    const [matrix] = panel.transformations!.filter(({ id }) => id === 'groupingToMatrix');
    const time = flavour === 'csv' ? 'timestamp' : 'Time';
    assert.deepEqual(matrix!.options, {
      columnField: 'device',
      rowField: time,
      valueField: 'value',
      emptyValue: 'null',
    });
    assert.equal(fields.find(({ name }) => name === time)!.type, 'time');
  }
}
