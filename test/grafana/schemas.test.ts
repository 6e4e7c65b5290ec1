import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { GrafanaSchemas } from './grafana-schema.js';
import {
  type DashboardJson,
  dashboardsOf,
  dataSources,
  flavourNames,
  groupsOf,
  type Json,
  type JsonObject,
  list,
  panelsOf,
  read,
} from './provisioning.js';
import * as schemas from './schemas.js';

const ajv = new Ajv({ allErrors: true });
const alerting = {
  'rules.yaml': schemas.rulesFile,
  'contact-points.yaml': schemas.contactPointsFile,
  'policies.yaml': schemas.policiesFile,
  'templates.yaml': schemas.templatesFile,
} as const;

test('every provisioning file has the shape that Grafana reads', () => {
  assertFits('datasources/dynamo-csv.yaml', schemas.dataSourcesFile);
  for (const flavour of flavourNames) {
    assert.deepEqual(list(`grafana-provisioning/alerting/${flavour}`), Object.keys(alerting).sort());
    for (const [name, schema] of Object.entries(alerting)) assertFits(`alerting/${flavour}/${name}`, schema);
    for (const name of list(`grafana-provisioning/dashboards/${flavour}`)) {
      const schema = name.endsWith('.json') ? schemas.dashboardFile : schemas.dashboardsFile;
      assertFits(`dashboards/${flavour}/${name}`, schema);
    }
  }
});

test('the schemas find a name that Grafana does not know, and one that is missing', () => {
  const rules = { apiVersion: 1, groups: groupsOf('csv') };
  assert.ok(ajv.validate(schemas.rulesFile, rules));
  const [group] = rules.groups as [JsonObject & (typeof rules.groups)[number]];
  const [rule] = group.rules;
  const { condition: _, ...without } = rule!;
  for (const wrong of [{ ...rule, keep_firing_for: '2m' }, without, { ...rule, for: '60' }]) {
    const broken = { ...rules, groups: [{ ...group, rules: [wrong] }] };
    assert.ok(!ajv.validate(schemas.rulesFile, broken), JSON.stringify(wrong));
  }
});

test("every dashboard is what the types of Grafana's own panels allow, which find what they do not", () => {
  const grafana = new GrafanaSchemas();
  const dashboards = flavourNames.flatMap((flavour) => dashboardsOf(flavour));
  for (const dashboard of dashboards) assert.deepEqual(grafana.mistakes(dashboard), [], dashboard.title);
  const panel = dashboards.flatMap(panelsOf).find(({ type }) => type === 'table')!;
  const column = { matcher: { id: 'byName', options: 'a' } };
  const wrong = (changes: object) =>
    grafana.mistakes({ ...dashboards[0]!, panels: [{ ...panel, ...changes }] } as DashboardJson);
  const override = (id: string, value: Json) =>
    wrong({ fieldConfig: { defaults: {}, overrides: [{ ...column, properties: [{ id, value }] }] } });
  assert.deepEqual(override('custom.wrapText', true), []);
  assert.match(override('custom.wraptext', true).join(), /custom\.wraptext is not known/);
  assert.match(override('custom.cellOptions', { type: 'auto', wrapText: true }).join(), /wrapText/);
  assert.match(override('decimals', 'two').join(), /decimals must be number/);
  assert.match(wrong({ options: { ...panel.options, cellHeight: 'tiny' } }).join(), /cellHeight/);
  assert.match(wrong({ type: 'tabel' }).join(), /tabel .* options is not known/);
  assert.match(wrong({ colour: 'red' }).join(), /dashboard\/panels\/0 .*colour/);
});

test('all uids are unique', () => {
  for (const flavour of flavourNames) {
    const rules = groupsOf(flavour).flatMap((group) => group.rules.map(({ uid }) => uid));
    assert.equal(new Set(rules).size, rules.length);
  }
  const sources = dataSources().flatMap(({ uid, name }) => [uid, name]);
  assert.equal(new Set(sources).size, sources.length);
});

/** YAML 1.1, as Grafana's parser takes it; JSON is YAML too. */
function assertFits(path: string, schema: object): void {
  const content = parse(read(`grafana-provisioning/${path}`), { version: '1.1' });
  assert.ok(ajv.validate(schema, content), `${path}: ${ajv.errorsText()}`);
}
