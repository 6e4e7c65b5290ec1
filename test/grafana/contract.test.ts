import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../src/base/clock.js';
import { projectRoot } from '../../src/base/project.js';
import { startAwsStandIn } from '../../src/demo/aws-stand-in.js';
import type { StandInInstance } from '../../src/demo/aws-world.js';
import { createTables, startDynamoDb } from '../../src/demo/dynamodb.js';
import { until } from '../app/world.js';
import { TEST_AWS } from '../support/aws.js';
import { startService } from '../support/service.js';
import { type Asking, checkPanel, checkQuery, checkRule, expectedColumns } from './contract.js';
import { Alerting } from './evaluation.js';
import {
  dashboardsOf,
  type FlavourName,
  flavourNames,
  type JsonObject,
  panelsOf,
  type RuleJson,
  rulesOf,
  type VariableJson,
} from './provisioning.js';
import { startDemo } from './world.js';

const TOKEN = 'a-token.of~the/fleet+==';

test("Grafana's queries are answered by a running demo, which wants a token", async (t) => {
  const demo = await startService(t, {
    program: 'demo/main.js',
    config: '', // the demo has its own
    env: { API_TOKEN: TOKEN, LOG_LEVEL: '' },
  });
  const [, url] = /Page +(http:\/\/[\d.:]+)\//.exec(await demo.printed(/Ctrl-C ends it/))!;
  const environment = { DYNAMO_CSV_URL: url!, DYNAMO_CSV_TOKEN: TOKEN };
  for (const flavour of flavourNames) {
    const asking = { flavour, environment };
    await walk(t, asking, Date.now());
    await t.test(
      `${flavour}: the zones that can be chosen are the city's, those chosen at first among them`,
      () => assertZones(asking),
    );
    await t.test(`${flavour}: every column is asked for as the type that the catalogue gives it`, () =>
      assertTypes(asking),
    );
    await t.test(`${flavour}: a column that is called differently is found out, in every query`, () =>
      assertBreaks(asking),
    );
    await t.test(`${flavour}: without the token there is nothing but an error`, async () => {
      const stranger = { ...asking, environment: { ...environment, DYNAMO_CSV_TOKEN: 'none' } };
      for (const rule of rulesOf(flavour)) await assert.rejects(checkRule(rule, stranger), / → 401 /);
    });
  }
});

test("they are answered in the first seconds of the fleet's day too", async (t) => {
  const demo = await startDemo(t, { now: '2026-02-03T04:59:58Z' });
  await demo.pass(4);
  for (const flavour of flavourNames) {
    await walk(t, { flavour, environment: demo.environment }, demo.clock.now());
  }
});

/** A server that EC2 has just started. */
const booting: StandInInstance = {
  id: 'i-12345678',
  tags: { Role: 'dispatch-api' },
  state: 'running',
  monitoring: 'enabled',
  checks: { system: 'ok', instance: 'initializing' },
};

for (const [what, instances] of [
  ['a server that was just started', [booting]],
  ['no server at all', []],
] as const) {
  test(`a new service with empty tables and ${what} has an answer to everything, and nothing fires`, async (t) => {
    const environment = { DYNAMO_CSV_URL: await newService(t, instances), DYNAMO_CSV_TOKEN: 'none' };
    for (const flavour of flavourNames) {
      await walk(t, { flavour, environment, isNew: true }, Date.now());
      await t.test(`${flavour}: no false alarm`, async () => {
        const alerting = new Alerting(flavour);
        for (let minutes = 0; minutes < 10; minutes += 1) {
          await alerting.evaluate(environment, minutes * 60_000);
          assert.deepEqual(alerting.firing, []);
        }
      });
    }
  });
}

/** Every panel and every alert, each as a test of its own. */
async function walk(t: TestContext, asking: Asking, now: number): Promise<void> {
  const { flavour } = asking;
  for (const dashboard of dashboardsOf(flavour)) {
    for (const panel of panelsOf(dashboard)) {
      if (panel.targets === undefined) continue;
      await t.test(`${flavour}: panel ${dashboard.uid}/${panel.id}, ${panel.title}`, () =>
        checkPanel(dashboard, panel, asking, now).then(() => undefined),
      );
    }
  }
  for (const rule of rulesOf(flavour)) {
    await t.test(`${flavour}: rule ${rule.uid}`, () => checkRule(rule, asking).then(() => undefined));
  }
}

async function assertZones(asking: Asking): Promise<void> {
  const found = variablesOf(asking.flavour).filter(({ name }) => name === 'zone');
  assert.equal(found.length, 1);
  for (const variable of found) {
    const zones = await zonesOf(variable, asking);
    assert.deepEqual(zones, await zonesOf(variablesOf('csv').find(({ name }) => name === 'zone')!, asking));
    for (const zone of variable.current.value) assert.ok(zones.includes(zone), zone);
  }
}

/** As another type a value is lost, or shows as the text `null`. */
async function assertTypes({ flavour, environment }: Asking): Promise<void> {
  const types = await catalogueTypes(environment.DYNAMO_CSV_URL!);
  const queries = [
    ...dashboardsOf(flavour).flatMap((dashboard) =>
      panelsOf(dashboard).flatMap(({ targets }) => targets ?? []),
    ),
    ...rulesOf(flavour).map(({ data }) => data[0]!.model),
  ];
  for (const query of queries) {
    const dataset = ((query.path ?? query.url) as string).split('/').at(-1)!;
    for (const { name, type } of expectedColumns(query)) {
      assert.equal(type, types.get(`${dataset}.${name}`), `${name} of ${dataset}`);
    }
  }
}

/** The type of each column as `dataset.column`. */
async function catalogueTypes(url: string): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(`${url}/datasets`, { headers: { Authorization: `Bearer ${TOKEN}` } });
  const { datasets } = (await response.json()) as {
    datasets: { name: string; columns: { name: string; type: string }[] }[];
  };
  return new Map(
    datasets.flatMap((dataset) =>
      dataset.columns.map(({ name, type }) => [`${dataset.name}.${name}`, type] as const),
    ),
  );
}

function variablesOf(flavour: FlavourName): VariableJson[] {
  return dashboardsOf(flavour).flatMap(({ templating }) => [...templating.list]);
}

/** What a variable offers, in order: a list in the dashboard, or what the service answers to its query. */
async function zonesOf({ type, query }: VariableJson, asking: Asking): Promise<readonly unknown[]> {
  if (type === 'custom')
    return (query as string).split(/(?<!\\), /).map((zone) => zone.replaceAll('\\,', ','));
  const { infinityQuery, meta } = query as { infinityQuery: JsonObject; meta: { valueField: string } };
  const { fields } = await checkQuery(infinityQuery, asking, null);
  const { values } = fields.find(({ name }) => name === meta.valueField)!;
  return [...new Set(values)];
}

/** Renames each column of each query, one at a time, in a copy: where the answer is read, and where it is asked for. */
async function assertBreaks(asking: Asking): Promise<void> {
  const now = Date.now();
  for (const dashboard of dashboardsOf(asking.flavour)) {
    for (const panel of panelsOf(dashboard)) {
      for (const [query, error] of (panel.targets ?? []).flatMap(brokenCopies)) {
        await assert.rejects(checkPanel(dashboard, { ...panel, targets: [query] }, asking, now), error);
      }
    }
  }
  for (const rule of rulesOf(asking.flavour)) {
    const [{ model, ...data }] = rule.data as [RuleJson['data'][number]];
    for (const [query, error] of brokenCopies(model)) {
      await assert.rejects(checkRule({ ...rule, data: [{ ...data, model: query }] }, asking), error);
    }
  }
}

/** With the error that each must lead to. */
function brokenCopies(query: JsonObject): (readonly [query: JsonObject, error: RegExp])[] {
  const [list, name] = query.schema === undefined ? ['columns', 'selector'] : ['schema', 'name'];
  const columns = query[list] as JsonObject[];
  const names = columns.map((column) => column[name] as string);
  return names.flatMap((right, index) => {
    const wrong = `${right}_x`;
    const read = columns.with(index, { ...columns[index], [name]: wrong });
    return [
      [{ ...query, [list]: read }, /has no column/],
      [askingFor(names.with(index, wrong), query), / → 400 columns: there is no column /],
    ] as const;
  });
}

/** The query with another parameter `columns`. */
function askingFor(names: readonly string[], query: JsonObject): JsonObject {
  const columns = names.join(',');
  if (query.params !== undefined) {
    const params = query.params as [string, string][];
    return { ...query, params: params.map(([key, value]) => [key, key === 'columns' ? columns : value]) };
  }
  const { params, ...options } = query.url_options as { params: { key: string; value: string }[] };
  const changed = params.map(({ key, value }) => ({ key, value: key === 'columns' ? columns : value }));
  return { ...query, url_options: { ...options, params: changed } };
}

/** Starts the service of the fleet on an empty data folder, with tables that have no item. Returns its address. */
async function newService(t: TestContext, instances: readonly StandInInstance[]): Promise<string> {
  const database = await startDynamoDb();
  t.after(() => database.close());
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
  } = TEST_AWS;
  const client = new DynamoDBClient({
    endpoint: database.endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
  });
  await createTables(client);
  client.destroy();
  const standIn = await startAwsStandIn({
    world: { instances: () => instances, datapoints: () => [] },
    clock: systemClock,
  });
  t.after(() => standIn.close());
  const service = await startService(t, {
    config: '', // the fleet's own
    env: {
      CONFIG: join(projectRoot, 'config', 'taxi-fleet.yaml'),
      AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
      AWS_ENDPOINT_URL_EC2: standIn.endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint,
    },
  });
  const url = await service.url;
  await until(url, '/readyz', ({ status }) => status === 200);
  return url;
}
