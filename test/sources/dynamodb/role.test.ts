/** Tables of other accounts: roles, ARNs, endpoints. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import { useTestAws, withEnvironment } from '../../support/aws.js';
import { startMoto, withoutMoto } from '../../support/moto.js';
import {
  described,
  page,
  type ScriptedAnswer,
  type ScriptedRequest,
  startScriptedDynamoDb,
} from '../../support/scripted-dynamodb.js';
import { SCRIPTED_TABLE } from '../../support/scripted-source.js';
import { type AssumedRole, type StsAnswer, startScriptedSts } from '../../support/scripted-sts.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

useTestAws();
const threads = new ScanThreads({ size: 2 });
after(() => threads.close());

const signal = new AbortController().signal;
const ARN = 'arn:aws:iam::123456789012:role/reader';
const ROLE = { arn: ARN, externalId: null, sessionName: 'dynamo-csv' };

function sourceOf(t: TestContext, options: Partial<DynamoDbSourceOptions>) {
  const source = createDynamoDbSource({
    ...SCRIPTED_TABLE,
    table: 'orders',
    threads,
    role: ROLE,
    ...options,
  });
  t.after(() => source.close());
  return { read: () => source.read({ known: [], signal }) };
}

const inAnHour = () => new Date(Date.now() + 3_600_000);

/** A scripted STS and a scripted DynamoDB, and a reading with a role. */
async function world(
  t: TestContext,
  sts: (request: AssumedRole) => StsAnswer,
  answer: (request: ScriptedRequest) => ScriptedAnswer = ({ action }) =>
    action === 'Scan' ? page([1]) : described(),
) {
  const assumed = await startScriptedSts(sts);
  const server = await startScriptedDynamoDb(answer);
  t.after(() => Promise.all([assumed.close(), server.close()]));
  const withSts = <T>(work: () => Promise<T>) =>
    withEnvironment({ AWS_ENDPOINT_URL_STS: assumed.endpoint }, work);
  return { assumed, server, withSts };
}

describe('a role', () => {
  test('is assumed with the credentials that the SDK finds, once, and every request is its', async (t) => {
    const { assumed, server, withSts } = await world(t, () => ({
      accessKeyId: 'ASIAROLE',
      expiration: inAnHour(),
    }));
    await withSts(async () => {
      const role = { arn: ARN, externalId: 'grafana-7f3a', sessionName: 'dashboards' };
      const { read } = sourceOf(t, { endpoint: server.endpoint, role });
      await read();
      await read();
    });
    const [{ parameters, accessKey }] = assumed.requests as [AssumedRole];
    assert.equal(assumed.requests.length, 1);
    assert.equal(accessKey, 'test');
    assert.equal(parameters.RoleArn, ARN);
    assert.equal(parameters.ExternalId, 'grafana-7f3a');
    assert.equal(parameters.RoleSessionName, 'dashboards');
    assert.deepEqual([...new Set(server.requests.map((request) => request.accessKey))], ['ASIAROLE']);
  });

  test('is assumed again before its credentials expire', async (t) => {
    let session = 0;
    const { assumed, server, withSts } = await world(t, () => {
      session += 1;
      // The SDK renews what expires within five minutes.
      const expiration = session === 1 ? new Date(Date.now() + 120_000) : inAnHour();
      return { accessKeyId: `ASIA${session}`, expiration };
    });
    await withSts(async () => {
      const { read } = sourceOf(t, { endpoint: server.endpoint });
      await read();
      await read();
      await read();
    });
    assert.ok(assumed.requests.length === 2, String(assumed.requests.length));
    assert.equal(server.requests.at(-1)?.accessKey, 'ASIA2');
  });

  test('is assumed again when DynamoDB refuses its credentials as expired', async (t) => {
    let session = 0;
    const { server, withSts } = await world(
      t,
      () => ({ accessKeyId: `ASIA${++session}`, expiration: inAnHour() }),
      ({ action, accessKey }) => {
        if (action === 'Scan' && accessKey === 'ASIA1')
          return { error: 'ExpiredTokenException', message: 'it is expired' };
        return action === 'Scan' ? page([1]) : described();
      },
    );
    await withSts(() => sourceOf(t, { endpoint: server.endpoint }).read());
    assert.equal(server.requests.at(-1)?.accessKey, 'ASIA2');
  });

  test('is the one that threads read a large table with, too', async (t) => {
    const { server, withSts } = await world(
      t,
      () => ({ accessKeyId: 'ASIAROLE', expiration: inAnHour() }),
      ({ action, body }) =>
        action === 'Scan' ? page([Number(body.Segment)]) : described({ items: 1_000_000, bytes: 1 << 30 }),
    );
    const rows = await withSts(
      async () => (await sourceOf(t, { endpoint: server.endpoint, segments: 8 }).read()).rows,
    );
    assert.equal(rows.ends.length, 8);
    assert.deepEqual([...new Set(server.requests.map((request) => request.accessKey))], ['ASIAROLE']);
  });

  test('that STS denies is an error with its sentence and both policies to change; allowed later, it is assumed', async (t) => {
    const reason = `User: arn:aws:iam::1:user/a is not authorized to perform: sts:AssumeRole on resource: ${ARN}`;
    let isAllowed = false;
    const { server, withSts } = await world(t, () =>
      isAllowed
        ? { accessKeyId: 'ASIAROLE', expiration: inAnHour() }
        : { error: 'AccessDenied', message: reason },
    );
    await withSts(async () => {
      const { read } = sourceOf(t, { endpoint: server.endpoint });
      await assert.rejects(read(), {
        code: 'ROLE_NOT_ASSUMED',
        message: `The role ${ARN} was not assumed: ${reason}`,
        remedy:
          'allow sts:AssumeRole on this role for these credentials, and allow them in the trust policy of the role, with its external id if it has one (docs/iam.md)',
      });
      assert.equal(server.requests.length, 0);
      isAllowed = true;
      assert.equal((await read()).rows.ends.length, 1);
    });
  });

  test('is assumed with keys that were renewed in the file, once the old ones are refused', async (t) => {
    const file = join(await temporaryFolder(t), 'credentials');
    const write = (key: string) =>
      writeFile(file, `[default]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`);
    const { assumed, server, withSts } = await world(t, ({ accessKey }) =>
      accessKey === 'AKIAOLD'
        ? { error: 'ExpiredTokenException', message: 'it is expired' }
        : { accessKeyId: 'ASIAROLE', expiration: inAnHour() },
    );
    await write('AKIAOLD');
    const fromFile = {
      AWS_ACCESS_KEY_ID: null,
      AWS_SECRET_ACCESS_KEY: null,
      AWS_SHARED_CREDENTIALS_FILE: file,
    };
    await withSts(() =>
      withEnvironment(fromFile, async () => {
        const { read } = sourceOf(t, { endpoint: server.endpoint });
        await assert.rejects(read(), { code: 'ROLE_NOT_ASSUMED' });
        await write('AKIANEW');
        assert.equal((await read()).rows.ends.length, 1);
      }),
    );
    assert.equal(assumed.requests.at(-1)?.accessKey, 'AKIANEW');
  });

  test('that cannot be assumed because its own credentials expired says so', async (t) => {
    const { server, withSts } = await world(t, () => ({
      error: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    }));
    await withSts(() =>
      assert.rejects(sourceOf(t, { endpoint: server.endpoint }).read(), {
        code: 'ROLE_NOT_ASSUMED',
        message: /The security token included in the request is expired$/,
        remedy: /^renew them, for example by aws sso login/,
      }),
    );
  });

  test('without credentials to assume it with, an error says that none were found', async (t) => {
    const { server, withSts } = await world(t, () => ({ accessKeyId: 'ASIAROLE', expiration: inAnHour() }));
    const none = { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null };
    await withSts(() =>
      withEnvironment(none, () =>
        assert.rejects(sourceOf(t, { endpoint: server.endpoint }).read(), {
          code: 'ROLE_NOT_ASSUMED',
          remedy: /^set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
        }),
      ),
    );
  });
});

describe('against moto', { skip: withoutMoto }, () => {
  test('a table of another account is read with a role of that account, by its name or its ARN', async (t) => {
    const moto = await startMoto();
    t.after(() => moto.close());
    const role = { ...ROLE, arn: 'arn:aws:iam::111122223333:role/reader' };
    await withEnvironment({ AWS_ENDPOINT_URL: moto.endpoint, AWS_REGION: 'eu-west-1' }, async () => {
      const client = new DynamoDBClient({
        credentials: fromTemporaryCredentials({ params: { RoleArn: role.arn, RoleSessionName: 'writer' } }),
      });
      await client.send(
        new CreateTableCommand({
          TableName: 'orders',
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      );
      await client.send(new PutItemCommand({ TableName: 'orders', Item: { id: { N: '7' } } }));
      client.destroy();
      assert.equal((await sourceOf(t, { role }).read()).rows.body.toString(), '7\n');
      const table = 'arn:aws:dynamodb:eu-west-1:111122223333:table/orders';
      assert.equal(
        (await sourceOf(t, { role, table, region: 'eu-west-1' }).read()).rows.body.toString(),
        '7\n',
      );
      await assert.rejects(sourceOf(t, { role: null }).read(), { code: 'TABLE_NOT_FOUND' });
    });
  });
});
