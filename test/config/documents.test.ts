import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import type { TSchema } from 'typebox';
import { parse } from 'yaml';
import { ArchiveOptions } from '../../src/archive/options.js';
import { AthenaOptions } from '../../src/engines/options.js';
import { projectRoot } from '../../src/base/project.js';
import { EnvironmentSchema } from '../../src/config/environment.js';
import { jsonSchemaText, SCHEMA_FILE } from '../../src/config/json-schema.js';
import { ConfigurationSchema } from '../../src/config/schema.js';
import { DiscoverOption } from '../../src/sources/dynamodb/discover.js';
import { TableOptions } from '../../src/sources/dynamodb/options.js';
import { FilterOptions, QueryOptions } from '../../src/sources/dynamodb/query/options.js';
import { InstancesOptions } from '../../src/sources/ec2/options.js';

const read = (...path: string[]) => readFile(join(projectRoot, ...path), 'utf8');

type Option = TSchema & { readonly description?: string; readonly default?: unknown };

test('the published JSON Schema is the one in code', async () => {
  assert.equal(
    await readFile(SCHEMA_FILE, 'utf8'),
    jsonSchemaText(),
    'run npm run generate and commit the result',
  );
});

test('an editor takes what the service takes, and refuses what it refuses', async () => {
  const accepts = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
    JSON.parse(jsonSchemaText()),
  );
  const right = [
    await read('config', 'taxi-fleet.yaml'),
    'tables: { my-table: {} }',
    'tables:\n  my-table:\n',
    'tables: { my-table: { log: true, keep: 2w, retention: 100, only: true, segments: 4 } }',
    'instances: { ids: [i-12345678], tags: { A: b, C: [d, e] } }',
    "tables: { orders: { query: { index: by-day, key: { day: '{today}', store: [1, 2], at: { from: 3 } }, since: n } } }",
    "tables: { orders: { filter: { expression: 'a = :b', names: { '#a': b }, values: { ':b': { N: '1' } } } } }",
    'tables: { arn:aws:dynamodb:eu-west-1:123456789012:table/orders: { role: arn:aws:iam::123456789012:role/a } }',
  ];
  for (const text of right) assert.ok(accepts(parse(text)), `${text}: ${JSON.stringify(accepts.errors)}`);
  const wrong = [
    'tables: { my-table: { interval: 30 sec } }',
    'tables: { my-table: { colums: [a] } }',
    'tables: { my-table: { as: a/b } }',
    'tables: { a b: {} }',
    'tables: { orders: { query: { key: { a: [] } } } }',
    'tables: { orders: { filter: { values: { open: 1 } } } }',
    'timezone: UTC',
  ];
  for (const text of wrong) assert.ok(!accepts(parse(text)), text);
});

test("the fleet's file names the schema for editors", async () => {
  const [first] = (await read('config', 'taxi-fleet.yaml')).split('\n');
  assert.equal(first, '# yaml-language-server: $schema=./dynamo-csv.schema.json');
});

/** The rows of the table under a heading of docs/configuration.md: first cell without its backquotes → the row. */
async function rowsUnder(heading: string): Promise<Map<string, string>> {
  const section = (await read('docs', 'configuration.md'))
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `docs/configuration.md has no heading ${heading}`);
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(rows.map((row) => [/^\| `(\w+)`/.exec(row)?.[1] ?? row, row]));
}

const REFERENCE: readonly (readonly [string, Readonly<Record<string, TSchema>>])[] = [
  ['The file as a whole', ConfigurationSchema.properties],
  ['`tables`', TableOptions.properties],
  ['`query`', QueryOptions.properties],
  ['`filter`', FilterOptions.properties],
  ['`discover`', DiscoverOption.properties],
  ['`archive`', ArchiveOptions.properties],
  ['`athena`', AthenaOptions.properties],
  ['`instances`', InstancesOptions.properties],
  ['Environment', EnvironmentSchema.properties],
];

for (const [heading, options] of REFERENCE) {
  test(`docs/configuration.md, ${heading}: every option, no other, each with its default`, async () => {
    const rows = await rowsUnder(heading);
    assert.deepEqual([...rows.keys()].sort(), Object.keys(options).sort());
    for (const [name, option] of Object.entries(options) as [string, Option][]) {
      assert.ok(
        (option.description ?? '').length > 20 || 'properties' in option,
        `${name} has no description`,
      );
      const { default: value } = option;
      if (value === undefined || value === '' || ['tables', 'DATA_DIR'].includes(name)) continue;
      const written = typeof value === 'string' ? value : JSON.stringify(value);
      assert.ok(
        rows.get(name)?.split('|')[2]?.includes(`\`${written}\``),
        `${name}: the default is ${written}`,
      );
    }
  });
}

test('no code reads an environment variable that the reference does not name', async () => {
  const text = await read('docs', 'configuration.md');
  const files = await readdir(join(projectRoot, 'src'), { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    for (const [, name] of (await read('src', file)).matchAll(/\benv(?:\.|\[')([A-Z][A-Z0-9_]+)/g)) {
      assert.ok(text.includes(`\`${name}\``), `src/${file} reads ${name}`);
    }
  }
});
