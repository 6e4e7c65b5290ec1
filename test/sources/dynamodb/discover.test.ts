import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { DynamoCsvError } from '../../../src/base/errors.js';
import { matches } from '../../../src/sources/dynamodb/discover.js';
import { TableList } from '../../../src/sources/dynamodb/table-list.js';
import { withEnvironment } from '../../support/aws.js';
import { startTestDynamoDb, type TestDynamoDb } from '../../support/dynalite.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';

const signal = new AbortController().signal;

describe('patterns', () => {
  it('match any text at each *, and else letter by letter', () => {
    for (const [pattern, name, is] of [
      ['*', 'orders', true],
      ['orders', 'orders', true],
      ['orders', 'orders2', false],
      ['prod-*', 'prod-', true],
      ['prod-*', 'preprod-a', false],
      ['*-backup', 'a-backup', true],
      ['*-backup', 'a-backup-2', false],
      ['a*b*c', 'aXbYc', true],
      ['a*b*c', 'abc', true],
      ['a*b*c', 'ac', false],
      ['aa*aa', 'aaa', false],
      ['a.b', 'axb', false],
      ['**', '', true],
    ] as const) {
      assert.equal(matches(pattern, name), is, `${pattern} ${name}`);
    }
  });

  it('agree with regular expressions', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', '*'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (pattern, name) => {
        const expression = pattern.replace(/[.-]/g, '\\$&').replaceAll('*', '.*');
        assert.equal(matches(pattern, name), new RegExp(`^${expression}$`).test(name));
      }),
    );
  });
});

describe('the list of tables', () => {
  let database: TestDynamoDb;
  before(async () => {
    database = await startTestDynamoDb();
  });
  after(() => database.close());

  const listed = async <T>(endpoint: string, work: (list: TableList) => Promise<T>): Promise<T> =>
    withEnvironment({ AWS_ENDPOINT_URL_DYNAMODB: endpoint }, async () => {
      const list = new TableList({ region: null, capacityShare: 0.25 });
      try {
        return await work(list);
      } finally {
        list.close();
      }
    });

  it('has all pages, and each table with its size and one item', async () => {
    const names = await Promise.all(
      Array.from({ length: 101 }, (_, index) => database.createTable({ id: 'N' }, `listed-${1_000 + index}`)),
    );
    await database.put('listed-1000', [{ id: { N: '1' }, at: { S: '2026-11-24' } }]);
    await listed(database.endpoint, async (list) => {
      assert.deepEqual([...(await list.names(signal))].sort(), [...names].sort());
      const { description, item, expectation } = await list.survey('listed-1000', signal);
      assert.deepEqual(description.keys, [{ name: 'id', type: 'N' }]);
      assert.deepEqual(item, { id: { N: '1' }, at: { S: '2026-11-24' } });
      assert.equal(expectation.unitsPerPoll, 0.5);
      const empty = await list.survey('listed-1001', signal);
      assert.equal(empty.item, null);
    });
  });

  it('asks about a few tables at a time, however many there are', async (t) => {
    let running = 0;
    let most = 0;
    const stub = await startScriptedDynamoDb(async ({ action }) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return action === 'Scan' ? page([]) : described();
    });
    t.after(() => stub.close());
    await listed(stub.endpoint, (list) =>
      Promise.all(Array.from({ length: 300 }, (_, index) => list.survey(`table-${index}`, signal))),
    );
    assert.equal(stub.requests.length, 600);
    assert.ok(most <= 16, `${most} at a time`);
  });

  it('ends where an endpoint repeats a page', async (t) => {
    const stub = await startScriptedDynamoDb(() => ({
      ok: { TableNames: ['orders'], LastEvaluatedTableName: 'orders' },
    }));
    t.after(() => stub.close());
    assert.deepEqual(await listed(stub.endpoint, (list) => list.names(signal)), ['orders']);
    assert.equal(stub.requests.length, 2);
  });

  test('denied, it names the action, AWS’s own sentence and the way without it', async (t) => {
    const message =
      'User: arn:aws:iam::1:user/a is not authorized to perform: dynamodb:ListTables on resource: *';
    const stub = await startScriptedDynamoDb(() => ({ error: 'AccessDeniedException', message }));
    t.after(() => stub.close());
    await assert.rejects(
      listed(stub.endpoint, (list) => list.names(signal)),
      (error: DynamoCsvError) => {
        assert.equal(error.code, 'AWS_ACCESS_DENIED');
        assert.ok(error.line.includes(message), error.line);
        assert.match(
          error.line,
          /allow the action dynamodb:ListTables on \* in IAM \(docs\/iam\.md\), or name the tables$/,
        );
        return true;
      },
    );
  });
});
