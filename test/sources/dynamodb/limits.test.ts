/** A Scan without end, or without measure, is an error before it takes the memory or the event loop. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { DynamoCsvError } from '../../../src/base/errors.js';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import { useTestAws } from '../../support/aws.js';
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

/** Reads the table once; what the reading was rejected with. */
async function failureOf(endpoint: string, options: Partial<DynamoDbSourceOptions> = {}): Promise<unknown> {
  const source = createDynamoDbSource({
    ...SCRIPTED_TABLE,
    endpoint,
    threads,
    ...options,
  });
  try {
    await source.read({ known: [], signal: new AbortController().signal });
    return null;
  } catch (error) {
    return error;
  } finally {
    await source.close();
  }
}

function assertError(error: unknown, code: string, line: RegExp): void {
  assert.ok(error instanceof DynamoCsvError, String(error));
  assert.equal(error.code, code);
  assert.match(error.line, line);
}

/** A page of one item whose `LastEvaluatedKey` is this. */
function pageBefore(id: number, LastEvaluatedKey: unknown): ScriptedAnswer {
  return { ok: { Items: [{ id: { N: String(id) } }], Count: 1, LastEvaluatedKey } };
}

const ENDLESS: readonly (readonly [string, (served: number) => unknown])[] = [
  ['the same key again and again', () => ({ id: { N: '1' } })],
  ['an empty key', () => ({})],
  ['a cycle of seven keys', (served) => ({ id: { N: String(served % 7) } })],
  ['a cycle that is entered late', (served) => ({ id: { N: String(served < 20 ? -served : served % 3) } })],
];

for (const [size, items] of [
  ['small', 0],
  ['large', 30_000],
] as const) {
  describe(`pages of a ${size} table that repeat end the poll with an error`, () => {
    for (const [what, keyOf] of ENDLESS) {
      test(what, async () => {
        let served = 0;
        const answer = ({ action }: ScriptedRequest): ScriptedAnswer => {
          if (action === 'DescribeTable') return described({ items });
          served += 1;
          return pageBefore(served, keyOf(served));
        };
        const server = await startScriptedDynamoDb(answer);
        const error = await failureOf(server.endpoint, { segments: 1 });
        await server.close();
        assertError(error, 'SCAN_REPEATS', /table scripted does not end: page \d+ of segment 0 has the Last/);
        assert.ok(served < 40, `${served} pages`);
      });
    }
  });
}

describe('a table larger than one poll may read', () => {
  for (const [where, items] of [
    ['here', 0],
    ['in threads', 30_000],
  ] as const) {
    test(`is an error that names the option (${where})`, async () => {
      let sent = 0;
      const server = await startScriptedDynamoDb(({ action, body }) => {
        if (action === 'DescribeTable') return described({ items });
        sent += 1;
        const segment = Number(body.Segment ?? 0);
        const id = Number((body.ExclusiveStartKey as { id: { N: string } } | undefined)?.id.N ?? segment) + 4;
        return page([{ id: { N: String(id) }, filler: { S: 'x'.repeat(100_000) } }], { more: true });
      });
      const error = await failureOf(server.endpoint, { maxPollMegabytes: 2, segments: 4 });
      await server.close();
      assertError(error, 'TABLE_TOO_LARGE', /scripted has more than 2 MB of JSON.*maxPollMegabytes/);
      assert.ok(sent >= 20 && sent < 40, `${sent} pages of 0.1 MB`);
    });
  }

  test('one that fits is read', async () => {
    const server = await startScriptedDynamoDb(({ action }) =>
      action === 'DescribeTable'
        ? described()
        : page([{ id: { N: '1' }, filler: { S: 'x'.repeat(900_000) } }]),
    );
    const error = await failureOf(server.endpoint, { maxPollMegabytes: 1 });
    await server.close();
    assert.equal(error, null);
  });
});

describe('an answer larger than any page of DynamoDB', () => {
  const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };

  /** Writes for as long as somebody reads; resolves to the bytes written. */
  async function writeEndlessly(response: ServerResponse): Promise<number> {
    const piece = Buffer.alloc(1 << 20, 'x');
    let written = 0;
    response.writeHead(200, JSON_TYPE);
    response.write('{"Items":[{"id":{"N":"1"},"filler":{"S":"');
    while (!response.destroyed) {
      written += piece.length;
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    return written;
  }

  for (const [where, items] of [
    ['here', 0],
    ['in threads', 30_000],
  ] as const) {
    test(`is given up while it arrives (${where})`, async () => {
      const answer = described({ items }) as { ok: unknown };
      let written: Promise<number> | null = null;
      const server = createServer((request, response) => {
        request.resume();
        if (String(request.headers['x-amz-target']).endsWith('.Scan')) written ??= writeEndlessly(response);
        else response.writeHead(200, JSON_TYPE).end(JSON.stringify(answer.ok));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const error = await failureOf(`http://127.0.0.1:${port}`, { segments: 1 });
      assertError(error, 'ANSWER_TOO_LARGE', /table scripted \(region .*larger than any page of DynamoDB/);
      const megabytes = (await written!) / 2 ** 20;
      assert.ok(megabytes < 64, `${megabytes} MB were written before the connection was closed`);
      server.close();
    });
  }
});
