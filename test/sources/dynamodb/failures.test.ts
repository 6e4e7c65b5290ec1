import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, type TestContext, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { DynamoCsvError } from '../../../src/base/errors.js';
import type { Column } from '../../../src/csv/rows.js';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import type { Source } from '../../../src/sources/source.js';
import { useTestAws, withEnvironment } from '../../support/aws.js';
import { HANGING, reported, SHORT_DEADLINES } from '../../support/hanging-server.js';
import { logLines } from '../../support/log-lines.js';
import { ManualClock } from '../../support/manual-clock.js';
import {
  described,
  page,
  type ScriptedAnswer,
  type ScriptedRequest,
  startScriptedDynamoDb,
} from '../../support/scripted-dynamodb.js';
import { SCRIPTED_TABLE } from '../../support/scripted-source.js';

useTestAws();
const threads = new ScanThreads({ size: 2 });
after(() => threads.close());

function sourceOf(endpoint: string | null, options: Partial<DynamoDbSourceOptions> = {}): Source {
  return createDynamoDbSource({
    ...SCRIPTED_TABLE,
    endpoint,
    threads,
    ...options,
  });
}

const NEVER = new AbortController().signal;

/** Reads once from a server that answers so; the reading or the error, and what was asked. */
async function readScripted(
  answer: (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>,
  options: Partial<DynamoDbSourceOptions> = {},
  signal: AbortSignal = NEVER,
) {
  const server = await startScriptedDynamoDb(answer);
  const source = sourceOf(server.endpoint, options);
  try {
    const reading = await source.read({ known: [], signal });
    return { reading, error: null, requests: server.requests, endpoint: server.endpoint };
  } catch (error) {
    return { reading: null, error, requests: server.requests, endpoint: server.endpoint };
  } finally {
    await source.close();
    await server.close();
  }
}

function scanFails(error: string, message?: string): (request: ScriptedRequest) => ScriptedAnswer {
  const failure = message === undefined ? { error } : { error, message };
  return ({ action }) => (action === 'Scan' ? failure : described());
}

function assertError(error: unknown, code: string, line: RegExp): void {
  assert.ok(error instanceof DynamoCsvError, String(error));
  assert.equal(error.code, code);
  assert.match(error.line, line);
  assert.doesNotMatch(error.line, /\n/);
}

describe('what goes wrong is said in one sentence', () => {
  const cases = [
    [
      'ExpiredTokenException',
      'The security token included in the request is expired',
      'CREDENTIALS_EXPIRED',
      /have expired.*table scripted \(region eu-test-1, http:\/\/127.*renew them/,
    ],
    [
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
      'CREDENTIALS_REJECTED',
      /does not accept these credentials.*is invalid/,
    ],
    [
      'AccessDeniedException',
      'User: arn:aws:iam::1:user/x is not authorized',
      'TABLE_ACCESS_DENIED',
      /may not read table scripted.*allow the action dynamodb:Scan on this table/,
    ],
    [
      'ProvisionedThroughputExceededException',
      'The level of',
      'TABLE_THROTTLED',
      /throttles.*maxReadCapacity/,
    ],
    [
      'ValidationException',
      'Something odd',
      'DYNAMODB_FAILED',
      /dynamodb:Scan failed on table scripted.*: Something odd/,
    ],
  ] as const;
  for (const [name, message, code, line] of cases) {
    test(name, async () => {
      const { error } = await withEnvironment({ AWS_MAX_ATTEMPTS: '1' }, () =>
        readScripted(scanFails(name, message)),
      );
      assertError(error, code, line);
    });
  }

  test('DescribeTable not allowed names that action', async () => {
    const { error } = await readScripted(() => ({ error: 'AccessDeniedException', message: 'no' }));
    assertError(error, 'TABLE_ACCESS_DENIED', /dynamodb:DescribeTable/);
  });

  test('nobody answers', async () => {
    const server = await startScriptedDynamoDb(() => described());
    await server.close();
    const source = sourceOf(server.endpoint);
    const error = await source.read({ known: [], signal: NEVER }).catch((error: unknown) => error);
    await source.close();
    assertError(
      error,
      'DYNAMODB_UNREACHABLE',
      /does not answer for table scripted.*ECONNREFUSED.*check the region/,
    );
  });

  test('something else answers, or the endpoint is none', async () => {
    const server = createServer((_, response) => response.end('this is not JSON')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const [endpoint, says] of [
      [
        `http://127.0.0.1:${port}`,
        /no DynamoDB for table scripted .*: something else answers there; set AWS_END/,
      ],
      [`localhost:${port}`, /the endpoint does not begin with http:\/\/ or https:\/\/; set AWS_END/],
    ] as const) {
      const source = sourceOf(endpoint);
      const error = await source.read({ known: [], signal: NEVER }).catch((error: unknown) => error);
      await source.close();
      assertError(error, 'NO_DYNAMODB', says);
    }
    server.close();
  });

  test('no credentials, no region', async () => {
    const none = { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null };
    const withoutCredentials = await withEnvironment(none, () => readScripted(() => described()));
    assertError(withoutCredentials.error, 'CREDENTIALS_MISSING', /No AWS credentials.*scripted.*AWS_PROFILE/);
    assert.equal(withoutCredentials.requests.length, 0);
    const withoutProfile = await withEnvironment({ ...none, AWS_PROFILE: 'nope' }, () =>
      readScripted(() => described()),
    );
    assertError(
      withoutProfile.error,
      'CREDENTIALS_MISSING',
      /found in profile "nope" to read.*set AWS_PROFILE to/,
    );
    const withoutRegion = await withEnvironment({ AWS_REGION: null }, async () => {
      const source = sourceOf(null);
      return source.read({ known: [], signal: NEVER }).catch((error: unknown) => error);
    });
    assertError(withoutRegion, 'REGION_MISSING', /No AWS region is set.*table scripted.*AWS_REGION/);
  });

  test('the same sentence when the reading is in a thread', async () => {
    const { error } = await readScripted(({ action }) =>
      action === 'Scan' ? { error: 'AccessDeniedException', message: 'no' } : described({ items: 30_000 }),
    );
    assertError(
      error,
      'TABLE_ACCESS_DENIED',
      /may not read table scripted \(region eu-test-1, http.*dynamodb:Scan/,
    );
  });
});

describe('a Scan that fails half way', () => {
  for (const items of [0, 30_000]) {
    test(`rejects and asks for nothing more (${items === 0 ? 'here' : 'in threads'})`, async () => {
      let served = 0;
      const { reading, error, requests } = await readScripted(
        ({ action, body }) => {
          if (action === 'DescribeTable') return described({ items });
          served += 1;
          if (body.ExclusiveStartKey === undefined) return page([Number(body.Segment ?? 0)], { more: true });
          return { error: 'ValidationException', message: 'half way' };
        },
        { segments: 2 },
      );
      assert.equal(reading, null);
      assertError(error, 'DYNAMODB_FAILED', /half way/);
      assert.ok(served >= 2);
      assert.equal(requests.filter(({ action }) => action === 'Scan').length, served);
    });
  }

  test('a page that fails at first is read after all, and each attempt counts', async () => {
    let asked = 0;
    const { reading, error } = await readScripted(({ action }) => {
      if (action === 'DescribeTable') return described();
      asked += 1;
      return asked <= 2 ? { error: 'InternalServerError', status: 500 } : page([1]);
    });
    assert.equal(error, null);
    assert.equal(reading?.rows.ends.length, 1);
    assert.equal(reading?.cost.requests, 2);
    assert.equal(reading?.cost.attempts, 4);
  });
});

const USER = 'User: arn:aws:sts::1:assumed-role/reader/i-0 is not authorized to perform: ';

describe("AWS's own sentence is told, with the remedy that fits it", () => {
  const refusals = [
    [
      'KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: The ciphertext refers to a customer master key that does not exist',
      /allow kms:Decrypt on the key.*docs\/iam\.md/,
    ],
    [
      `${USER}kms:Decrypt on resource: arn:aws:kms:us-east-1:1:key/abc because no identity-based policy allows the kms:Decrypt action`,
      /allow kms:Decrypt on the key.*docs\/iam\.md/,
    ],
    [
      `${USER}dynamodb:Scan on resource: arn:x with an explicit deny in a service control policy`,
      /ask the administrators of your AWS organization to allow dynamodb:Scan/,
    ],
    [
      `${USER}dynamodb:Scan on resource: arn:x because no VPC endpoint policy allows the dynamodb:Scan action`,
      /allow dynamodb:Scan in the policy of the VPC endpoint/,
    ],
    [
      `${USER}dynamodb:Scan on resource: arn:x because no permissions boundary allows the dynamodb:Scan action`,
      /allow dynamodb:Scan in the permissions boundary/,
    ],
    [
      `${USER}dynamodb:Scan on resource: arn:x with an explicit deny in an identity-based policy`,
      /remove the statement that denies dynamodb:Scan/,
    ],
    [
      `${USER}dynamodb:Scan on resource: arn:x because no identity-based policy allows the dynamodb:Scan action`,
      /allow the action dynamodb:Scan on this table in IAM/,
    ],
  ] as const;
  for (const [sentence, remedy] of refusals) {
    test(sentence, async () => {
      const { error } = await readScripted(scanFails('AccessDeniedException', sentence));
      assertError(error, 'TABLE_ACCESS_DENIED', remedy);
      assert.ok((error as DynamoCsvError).line.includes(sentence));
    });
  }
});

describe('a table that is not ACTIVE', () => {
  const statuses = [
    ['CREATING', /is still being created/],
    ['DELETING', /is being deleted/],
    ['ARCHIVED', /was archived.*restore the table from the backup/],
    ['INACCESSIBLE_ENCRYPTION_CREDENTIALS', /no access to its KMS key.*enable the key/],
    ['ANOTHER', /cannot be read/],
  ] as const;
  for (const [status, words] of statuses) {
    test(`${status} is reported with its meaning`, async () => {
      const { error } = await readScripted(({ action }) =>
        action === 'Scan'
          ? { error: 'ResourceNotFoundException', message: 'Requested resource not found' }
          : described({ status }),
      );
      assertError(error, 'TABLE_NOT_ACTIVE', words);
      assert.match((error as DynamoCsvError).line, new RegExp(`^The table scripted .* ${status}\\)`));
    });
  }

  test('a refusal by KMS keeps its sentence, and a table that is ACTIVE keeps its error', async () => {
    const refused = { error: 'AccessDeniedException', message: 'KMS key access denied error' };
    const read = (status: string, answer: ScriptedAnswer) =>
      readScripted(({ action }) => (action === 'Scan' ? answer : described({ status })));
    const inaccessible = await read('INACCESSIBLE_ENCRYPTION_CREDENTIALS', refused);
    assertError(inaccessible.error, 'TABLE_NOT_ACTIVE', /KMS key access denied error; enable the key/);
    const gone = await read('ACTIVE', { error: 'ResourceNotFoundException', message: 'gone' });
    assertError(gone.error, 'TABLE_NOT_FOUND', /There is no table scripted/);
  });
});

describe('a table that was deleted and made again', () => {
  const items = [
    { id: { N: '1' }, at: { N: '7' } },
    { id: { N: '2' }, at: { N: '8' } },
  ];
  const changes = [
    ['has a sort key more', { id: 'N' }, { id: 'N', at: 'N' }],
    ['has no sort key any more', { id: 'N', at: 'N' }, { id: 'N' }],
    ['has another partition key', { id: 'N' }, { at: 'N' }],
  ] as const;
  for (const [what, before, after] of changes) {
    test(`${what}: the next poll sees it`, async (t) => {
      let keys: Readonly<Record<string, 'N'>> = before;
      const server = await startScriptedDynamoDb(({ action }) =>
        action === 'Scan' ? page(items) : described({ keys }),
      );
      const clock = new ManualClock('2026-11-24T09:30:00Z');
      const source = sourceOf(server.endpoint, { clock });
      t.after(() => Promise.all([source.close(), server.close()]));
      assert.deepEqual((await source.read({ known: [], signal: NEVER })).keys, Object.keys(before));
      keys = after;
      clock.advance(30_000);
      assert.deepEqual((await source.read({ known: [], signal: NEVER })).keys, Object.keys(after));
    });
  }

  test('polls go on for an hour while the table can be read and not be described', async (t) => {
    let fails = false;
    const server = await startScriptedDynamoDb(({ action }) => {
      if (action === 'Scan') return page([1]);
      return fails ? { error: 'ValidationException', message: 'not now' } : described();
    });
    const clock = new ManualClock('2026-11-24T09:30:00Z');
    const source = sourceOf(server.endpoint, { clock });
    t.after(() => Promise.all([source.close(), server.close()]));
    const read = () => source.read({ known: [], signal: NEVER });
    await read();
    fails = true;
    clock.advance(30_000);
    assert.equal((await read()).rows.ends.length, 1);
    clock.advance(3_600_000);
    await assert.rejects(read(), { code: 'DYNAMODB_FAILED', message: /not now/ });
  });
});

describe('a column with values of several types', () => {
  const price = (id: number, value: object) => ({ id: { N: String(id) }, price: value });
  for (const items of [0, 30_000]) {
    test(`is named by each reading, also when its items are not decoded again (${items === 0 ? 'here' : 'in threads'})`, async (t) => {
      let found = [price(1, { N: '5' }), price(2, { NULL: true })];
      const server = await startScriptedDynamoDb(({ action }) =>
        action === 'Scan' ? page(found) : described({ items }),
      );
      const source = sourceOf(server.endpoint, { segments: 1 });
      t.after(() => Promise.all([source.close(), server.close()]));
      let known: readonly Column[] = [];
      const read = async () => {
        const { rows, mixed } = await source.read({ known, signal: NEVER });
        known = rows.columns;
        return mixed;
      };
      assert.deepEqual(await read(), []);
      found = [price(1, { N: '5' }), price(2, { S: 'N/A' }), price(3, { S: 'sold' })];
      assert.deepEqual(await read(), ['price']);
      assert.deepEqual(await read(), ['price']);
      found = [price(1, { N: '5' }), price(2, { S: 'N/A' }), price(3, { N: '7' })];
      assert.deepEqual(await read(), ['price']);
    });
  }

  test('is named when it is mixed from the first poll on, and not when all values have one type', async (t) => {
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'Scan'
        ? page([
            { ...price(1, { BOOL: true }), zip: { S: '00123' } },
            { ...price(2, { N: '1' }), zip: { S: '98101' } },
          ])
        : described(),
    );
    const source = sourceOf(server.endpoint, {});
    t.after(() => Promise.all([source.close(), server.close()]));
    const { mixed, rows } = await source.read({ known: [], signal: NEVER });
    assert.deepEqual(mixed, ['price']);
    assert.equal(rows.columns.find(({ name }) => name === 'zip')?.type, 'string');
  });
});

describe('names in columns and only that no item has', () => {
  const ITEM = { id: { N: '1' }, price: { N: '5' }, address: { M: { city: { S: 'Seoul' } } } };
  const told = async (t: TestContext, options: Partial<DynamoDbSourceOptions>, items: object[] = [ITEM]) => {
    const server = await startScriptedDynamoDb(({ action, body }) => {
      if (action === 'DescribeTable') return described();
      const names = Object.values((body.ExpressionAttributeNames ?? {}) as Record<string, string>);
      const kept = items.map((item) =>
        names.length === 0
          ? item
          : Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name))),
      );
      return page(kept as Record<string, unknown>[]);
    });
    const { logger, lines } = logLines();
    const source = sourceOf(server.endpoint, { ...options, logger });
    t.after(() => Promise.all([source.close(), server.close()]));
    for (let poll = 1; poll <= 2; poll++) await source.read({ known: [], signal: NEVER });
    return lines.map(({ msg }) => msg);
  };

  test('are logged once, with the closest name', async (t) => {
    assert.deepEqual(await told(t, { columns: ['pricee', 'price'], rename: { price: 'usd' } }), [
      'columns: no item has an attribute "pricee"; did you mean price?',
    ]);
    assert.deepEqual(await told(t, { only: ['address.ctiy', 'adress.city', 'price', 'unheard'] }), [
      'only: no item has a value at the path "address.ctiy"; did you mean address.city?',
      'only: no item has a value at the path "adress.city"; did you mean address.city?',
      'only: no item has an attribute "unheard"; check its spelling',
    ]);
    const time = { column: 'creatd', unit: null };
    const created = { id: { N: '1' }, created: { S: '2026-11-24' } };
    assert.deepEqual(await told(t, { time }, [created]), [
      'time: no item has an attribute "creatd"; did you mean created?',
    ]);
    assert.deepEqual(await told(t, { columns: ['address.ctiy'] }), [
      'columns: no item has a value at the path "address.ctiy"; did you mean address.city?',
    ]);
  });

  test('are not logged while the table is empty, nor when they are seen', async (t) => {
    assert.deepEqual(await told(t, { columns: ['pricee'] }, []), []);
    assert.deepEqual(
      await told(t, { columns: ['usd'], rename: { price: 'usd' }, only: ['price', 'usd'] }),
      [],
    );
    assert.deepEqual(await told(t, { columns: ['address.city'], only: ['address.city'] }), []);
  });
});

describe('deadlines', { concurrency: true }, () => {
  for (const [how, words] of HANGING) {
    for (const action of ['DescribeTable', 'Scan'] as const) {
      for (const items of action === 'Scan' ? [0, 30_000] : [0]) {
        const where = items === 0 ? 'here' : 'in threads';
        test(`${action}: ${how} is reported, and the next reading starts afresh (${where})`, async (t) => {
          let hangs = true;
          const server = await startScriptedDynamoDb((request) => {
            if (hangs && request.action === action) return { hang: how };
            return request.action === 'Scan' ? page([1]) : described({ items });
          });
          const source = sourceOf(server.endpoint, { deadlines: SHORT_DEADLINES });
          t.after(async () => {
            await source.close();
            await server.close();
          });
          const error = await reported(words, () => source.read({ known: [], signal: NEVER }));
          assertError(error, 'DYNAMODB_UNREACHABLE', words);
          hangs = false;
          assert.equal((await source.read({ known: [], signal: NEVER })).rows.ends.length, 1);
        });
      }
    }
  }

  test('throttling beyond the deadline is reported as throttling', async () => {
    const { error } = await readScripted(scanFails('ThrottlingException', 'Rate exceeded'), {
      deadlines: { silence: 3_000, request: 3_000 },
    });
    assertError(error, 'TABLE_THROTTLED', /throttles.*Rate exceeded/);
  });
});

describe('abort', () => {
  for (const items of [0, 30_000]) {
    test(`ends a waiting reading with the signal's reason (${items === 0 ? 'here' : 'in threads'})`, async () => {
      const controller = new AbortController();
      const reason = new Error('shutting down');
      const { error } = await readScripted(
        async ({ action, signal }) => {
          if (action === 'DescribeTable') return described({ items });
          controller.abort(reason);
          // Never answered: only giving the request up ends it.
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return page([1]);
        },
        {},
        controller.signal,
      );
      assert.equal(error, reason);
    });
  }

  test('before it begins, nothing is asked', async () => {
    const { error, requests } = await readScripted(() => described(), {}, AbortSignal.abort('no'));
    assert.equal(error, 'no');
    assert.equal(requests.length, 0);
  });
});

describe('the wire', () => {
  test('attribute names that are special to JavaScript are names like any other', async () => {
    const item = JSON.parse(
      '{"id":{"N":"1"},"__proto__":{"S":"p"},"constructor":{"S":"c"},"10":{"S":"ten"},"2":{"S":"two"}}',
    );
    const { reading } = await readScripted(({ action }) => (action === 'Scan' ? page([item]) : described()));
    const { columns, body } = reading!.rows;
    const values = (parse(body) as string[][])[0];
    assert.deepEqual(Object.fromEntries(columns.map(({ name }, index) => [`=${name}`, values?.[index]])), {
      '=id': '1',
      '=10': 'ten',
      '=2': 'two',
      '=__proto__': 'p',
      '=constructor': 'c',
    });
  });

  test('a table that turns out to be large is read on in a thread, without asking twice', async () => {
    const ids = Array.from({ length: 15_000 }, (_, index) => index * 2);
    const { reading, requests } = await readScripted(({ action, body }) => {
      if (action === 'DescribeTable') return described();
      const after = Number((body.ExclusiveStartKey as { id: { N: string } } | undefined)?.id.N ?? -1);
      if (after === -1) return page(ids, { more: true });
      if (after === 29_998)
        return page(
          ids.map((id) => id + 1),
          { more: true },
        );
      return page([100_000, -1]);
    });
    assert.deepEqual(reading!.rows.body.toString().trimEnd().split('\n').map(Number), [
      -1,
      ...Array.from({ length: 30_000 }, (_, index) => index),
      100_000,
    ]);
    assert.equal(requests.length, 4, 'DescribeTable and three pages');
    assert.ok(threads.running > 0);
  });

  test('an item without the table’s key is an error', async () => {
    const { error } = await readScripted(({ action }) =>
      action === 'Scan' ? page([{ other: { S: 'x' } }]) : described(),
    );
    assertError(error, 'KEY_CHANGED', /An item of table scripted has no key attribute "id" of type N/);
  });

  test('the table is described once, and again after an error', async () => {
    let fail = false;
    const server = await startScriptedDynamoDb(({ action }) => {
      if (action === 'DescribeTable') return described();
      return fail ? { error: 'ValidationException', message: 'now' } : page([1]);
    });
    const source = sourceOf(server.endpoint);
    const describes = () => server.requests.filter(({ action }) => action === 'DescribeTable').length;
    await source.read({ known: [], signal: NEVER });
    await source.read({ known: [], signal: NEVER });
    assert.equal(describes(), 1);
    fail = true;
    await assert.rejects(source.read({ known: [], signal: NEVER }));
    fail = false;
    await source.read({ known: [], signal: NEVER });
    assert.equal(describes(), 2);
    await source.close();
    await server.close();
  });
});
