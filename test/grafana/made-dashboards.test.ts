import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dashboardJson, flavourOf } from '../../src/dashboards/generated.js';
import { titleOf, unitOf } from '../../src/dashboards/naming.js';
import { columnList } from '../../src/dashboards/reading.js';
import { dashboardUid } from '../../src/dashboards/uid.js';
import type { DatasetStatus } from '../../src/datasets/dataset.js';
import type { Queries } from '../../src/datasets/queries.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { column, ScriptedDataset, type ScriptedOptions } from '../support/scripted-dataset.js';
import { type DashboardJson, type JsonObject, panelsOf } from './provisioning.js';

/** A dataset that says it has so many rows. */
class CountedDataset extends ScriptedDataset {
  readonly #rows: number;

  constructor(options: ScriptedOptions, rows: number) {
    super(options);
    this.#rows = rows;
  }

  override get version(): string {
    return 'one';
  }

  override status(): DatasetStatus {
    return { ...super.status(), rows: this.#rows, bytes: this.#rows * 100 };
  }
}

const NOW = Date.parse('2026-11-28T12:00:00Z');

async function made(dataset: ScriptedDataset, queries: Queries): Promise<DashboardJson> {
  const registry = new DatasetRegistry();
  registry.add(dataset);
  const options = { registry, queries, timeZone: 'UTC', now: NOW, signal: new AbortController().signal };
  return JSON.parse(await dashboardJson(dataset, flavourOf('csv'), options)) as DashboardJson;
}

describe('a table of ten million items', () => {
  const columns = [column('device'), column('at', 'time'), column('temperature', 'number')];
  const readings = new CountedDataset(
    { name: 'readings', columns, keys: ['device', 'at'], timeColumn: 'at' },
    10_000_000,
  );
  const nobody: Queries = {
    window: () => Promise.reject(new Error('it was searched')),
    sql: () => Promise.reject(new Error('it was searched')),
  };

  test('is not searched for values of its keys', async () => {
    let searched = 0;
    const { templating } = await made(readings, {
      ...nobody,
      window: () => {
        searched += 1;
        return Promise.reject(new Error('it was searched'));
      },
    });
    assert.equal(searched, 0);
    assert.deepEqual(templating.list, []);
  });

  test('has panels whose answers do not grow with it', async () => {
    const targets = panelsOf(await made(readings, nobody)).flatMap((panel) => panel.targets ?? []);
    const asked = targets.filter(({ path }) => path === '/readings');
    assert.equal(asked.length, 4);
    for (const { params } of asked) {
      const { limit, every, by } = Object.fromEntries(params as [string, string][]);
      assert.ok(limit !== undefined || (every !== undefined && by === undefined), JSON.stringify(params));
    }
  });
});

test('a dataset whose questions fail has a dashboard without variables', async () => {
  const lost = new CountedDataset(
    { name: 'lost', columns: [column('id'), column('n', 'number')], keys: ['id'] },
    3,
  );
  const { templating, panels } = await made(lost, {
    window: () => Promise.reject(new Error('busy')),
    sql: () => Promise.reject(new Error('busy')),
  });
  assert.deepEqual(templating.list, []);
  assert.ok(panels.length > 2);
});

test('headings of any length are read whole', async () => {
  const name = 'an_attribute_with_a_name_that_is_longer_than_its_column';
  const wide = new CountedDataset({ name: 'wide', columns: [column('id'), column(name, 'number')] }, 3);
  const failing = () => Promise.reject(new Error('busy'));
  const tables = panelsOf(await made(wide, { window: failing, sql: failing })).filter(
    ({ type }) => type === 'table',
  );
  assert.ok(tables.length > 0);
  for (const { title, fieldConfig } of tables) {
    for (const { matcher, properties } of fieldConfig!.overrides) {
      const wraps = (properties as JsonObject[]).find(({ id }) => id === 'custom.wrapHeaderText');
      // Of a number's heading that does not wrap Grafana shows the end.
      assert.equal(wraps?.value, true, `${title}: ${JSON.stringify(matcher)}`);
    }
  }
});

test('Infinity offers the values of a key of numbers as they are written', () => {
  const { query } = flavourOf('infinity')
    .variable({
      name: 'zone',
      label: 'Zone',
      description: '',
      values: [],
      chosen: 'all',
      reading: { dataset: 'zones', columns: [{ name: 'zone', type: 'number' }], window: {} },
      definition: '',
    })
    .build();
  const { infinityQuery } = query as unknown as { infinityQuery: { columns: { type: string }[] } };
  // As numbers, 123456789012345678 is offered as 123456789012345680, and 30 digits as 1.2e+29.
  assert.deepEqual(
    infinityQuery.columns.map(({ type }) => type),
    ['string'],
  );
});

test('a key of numbers is written without separators', async () => {
  const failing = () => Promise.reject(new Error('busy'));
  const columns = [column('zone', 'number'), column('amount', 'number')];
  const zones = new CountedDataset({ name: 'zones', columns, keys: ['zone'] }, 3);
  const { panels } = await made(zones, { window: failing, sql: failing });
  const rows = panels.find(({ title, type }) => title === 'Rows' && type === 'table')!;
  const shown = (title: string) =>
    (rows.fieldConfig!.overrides as { matcher: JsonObject; properties: JsonObject[] }[])
      .find(({ matcher }) => matcher.options === title)!
      .properties.find(({ id }) => id === 'unit')?.value;
  assert.deepEqual([shown('Zone'), shown('Amount')], ['none', 'locale']);
});

test('a name keeps the spaces at its ends, which Infinity drops at the ends of a parameter', () => {
  assert.equal(columnList([' space ']), '" space "');
  assert.equal(columnList(['id', 'a b']), 'id,a b');
});

test('a dataset that was never read has its state only', async () => {
  const registry = new DatasetRegistry();
  const waiting = Object.assign(new ScriptedDataset({ name: 'waiting', columns: [] }), { columns: null });
  registry.add(waiting);
  const { panels } = await made(waiting, {
    window: () => Promise.reject(new Error('not read yet')),
    sql: () => Promise.reject(new Error('not read yet')),
  });
  assert.deepEqual(
    panels.map(({ title }) => title),
    ['Rows', 'Age'],
  );
});

test('names say units', () => {
  const units = {
    latency_ms: 'ms',
    latencyMs: 'ms',
    duration_seconds: 's',
    bytes: 'bytes',
    bytes_in: 'bytes',
    size_mb: 'mbytes',
    cpu_percent: 'percent',
    cpu_utilization: 'percent',
    price: 'locale',
    total_usd: 'currencyUSD',
    price_krw: 'currencyKRW',
    temperature_celsius: 'celsius',
    'network-in-bytes': 'bytes',
    items: 'locale',
    atoms: 'locale',
    class: 'locale',
  };
  assert.deepEqual(Object.fromEntries(Object.keys(units).map((name) => [name, unitOf(name).unit])), units);
  assert.equal(unitOf('unit_price').decimals, 2);
});

test('titles are words, and names that are none stay', () => {
  const titles = {
    total_price: 'Total price',
    totalPrice: 'Total price',
    CPU_load: 'CPU load',
    'a.b[0]': 'a.b[0]',
    가격: '가격',
    _: '_',
  };
  assert.deepEqual(Object.fromEntries(Object.keys(titles).map((name) => [name, titleOf(name)])), titles);
});

test("a dashboard's uid is the same for ever, fits into Grafana's 40 characters, and is its dataset's only", () => {
  assert.equal(dashboardUid('orders'), 'table-orders-1c168adb');
  const names = ['a.b', 'a-b', 'a_b', 'A-B', 'x'.repeat(255), '__', '주문'];
  const uids = names.map(dashboardUid);
  assert.equal(new Set(uids).size, names.length);
  for (const uid of uids) assert.match(uid, /^table-[a-z\d-]{8,34}$/);
});
