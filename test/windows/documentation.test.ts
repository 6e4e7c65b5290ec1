import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { projectRoot } from '../../src/base/project.js';
import { decodeRow } from '../../src/csv/decode.js';
import { SHAPE_PARAMETERS, WINDOW_PARAMETERS } from '../../src/windows/parameters.js';
import { FORMATS } from '../../src/windows/shape.js';
import { OPERATORS } from '../../src/windows/window.js';
import { column, parametersOf, TestDuckDb, type TestTable } from './duckdb-table.js';

const page = readFileSync(join(projectRoot, 'docs/windows.md'), 'utf8');

/** Each example: a dataset, a query, the answer. */
const examples = [...page.matchAll(/^```\nGET \/csv\/([^?\n]+)(?:\?(.*))?\n([\s\S]*?)^```$/gm)].map(
  ([, name = '', query = '', answer = '']) => ({ name, query, answer }),
);

/** The dataset as its own example shows it. */
function tableOf(name: string, described: Omit<TestTable, 'rows'>): TestTable {
  const shown = examples.find((example) => example.name === name && example.query === '');
  const lines = shown!.answer.trimEnd().split('\n').slice(1);
  return { ...described, rows: lines.map((line) => decodeRow(line)) };
}

const log = tableOf('flag-dynamodb', {
  dataset: {
    name: 'flag-dynamodb',
    columns: [column('counter_type'), column('count', 'number'), column('timestamp', 'time')],
    keys: ['counter_type'],
    timeColumn: 'timestamp',
  },
  types: ['VARCHAR', 'BIGINT', 'TIMESTAMPTZ'],
});

const boardings = tableOf('boardings', {
  dataset: {
    name: 'boardings',
    columns: [column('zone_id', 'number'), column('zone'), column('borough'), column('boardings', 'number')],
    keys: ['zone_id'],
    timeColumn: null,
  },
  types: ['BIGINT', 'VARCHAR', 'VARCHAR', 'BIGINT'],
});

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

test('the answers of the page are those that are given', async () => {
  assert.ok(examples.length > 20);
  for (const { name, query, answer } of examples) {
    await db.load(name === 'boardings' ? boardings : log);
    const given = await db.ask(parametersOf(query)).catch((error) => {
      assert.ok(error instanceof DynamoCsvError && error.status === 400, `${query}: ${error}`);
      return `${error.line}\n`;
    });
    assert.equal(given, answer, query);
  }
});

test('the page has every parameter, operator and format, each parameter in an example', () => {
  for (const parameter of [...WINDOW_PARAMETERS, ...SHAPE_PARAMETERS]) {
    assert.ok(page.includes(`\`${parameter}=`), parameter);
    assert.ok(
      examples.some(({ query }) => parametersOf(query).some(([name]) => name === parameter)),
      `no example of ${parameter}`,
    );
  }
  for (const operator of OPERATORS.slice(1)) assert.ok(page.includes(`x__${operator}=`), operator);
  for (const format of FORMATS) assert.ok(page.includes(`\`format=${format}\``), format);
});
