import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { parse } from 'yaml';
import { projectRoot } from '../../src/base/project.js';
import { pollsPerMonth } from '../../src/sources/billing.js';
import { readPrice, scanUnits } from '../../src/sources/dynamodb/cost.js';
import { attributeValue, type FilterValue } from '../../src/sources/dynamodb/query/filter.js';
import { mistakesOf } from '../config/load.js';
import { startTestDynamoDb } from '../support/dynalite.js';

const page = await readFile(join(projectRoot, 'docs', 'reading-less.md'), 'utf8');

const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);

test('the prices of the ways to read follow from the items that each reads', () => {
  const rows = page.split('\n').filter((line) => /^\| (?:\[|Scan)/.test(line));
  assert.equal(rows.length, 4);
  for (const row of rows) {
    const [, , reads = '', units, price] = row.split('|').map((cell) => cell.trim());
    const items = Number(/[\d,]+/.exec(reads)![0].replaceAll(',', ''));
    const expected = scanUnits(items * 1_000, { consistent: false });
    assert.equal(units, Math.round(expected).toLocaleString('en-US'), row);
    const dollars = readPrice(expected * pollsPerMonth(30_000), 'us-east-1');
    const maximumFractionDigits = dollars > 100 ? 0 : 2;
    assert.equal(price, dollars.toLocaleString('en-US', { maximumFractionDigits }), row);
  }
});

test('every configuration on the page is right', async () => {
  assert.ok(blocks.length >= 5, String(blocks.length));
  for (const text of blocks) {
    assert.ok(Object.keys(parse(text).tables).length > 0);
    assert.deepEqual(await mistakesOf(text), [], text);
  }
});

test('DynamoDB takes every filter on the page: no attribute has the name of a reserved word', async (t) => {
  const filters = blocks.flatMap((text) => Object.values(parse(text).tables).flatMap(filterOf));
  assert.ok(filters.length > 0);
  const dynamoDb = await startTestDynamoDb();
  t.after(() => dynamoDb.close());
  const TableName = await dynamoDb.createTable({ id: 'S' });
  for (const { expression, names, values = {} } of filters)
    await dynamoDb.client.send(
      new ScanCommand({
        TableName,
        FilterExpression: expression,
        ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
        ExpressionAttributeValues: Object.fromEntries(
          Object.entries(values).map(([name, value]) => [name, attributeValue(value)]),
        ),
      }),
    );
});

interface Filter {
  readonly expression: string;
  readonly names?: Record<string, string>;
  readonly values?: Record<string, FilterValue>;
}

function filterOf(table: unknown): readonly Filter[] {
  const { filter } = (table ?? {}) as { readonly filter?: Filter };
  return filter === undefined ? [] : [filter];
}
