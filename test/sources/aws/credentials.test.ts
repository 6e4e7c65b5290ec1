import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startAwsStandIn } from '../../../src/demo/aws-stand-in.js';
import { createDynamoDbSource } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import { createInstancesSource } from '../../../src/sources/ec2/source.js';
import { useTestAws, withEnvironment } from '../../support/aws.js';
import { described, page, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { instance, TestClock, TestWorld } from '../ec2/world.js';

useTestAws();
const threads = new ScanThreads({ size: 1 });
after(() => threads.close());

const NEVER = new AbortController().signal;

const keys = (accessKey: string) =>
  `[default]\naws_access_key_id = ${accessKey}\naws_secret_access_key = secret\naws_session_token = ${accessKey}\n`;

/** Runs with credentials that come from this file alone. */
const withFile = (file: string, run: () => Promise<void>) =>
  withEnvironment(
    { AWS_ACCESS_KEY_ID: null, AWS_SECRET_ACCESS_KEY: null, AWS_SHARED_CREDENTIALS_FILE: file },
    run,
  );

for (const items of [0, 30_000]) {
  test(`keys that expire and are renewed in the file are read again (${items === 0 ? 'here' : 'in threads'})`, async (t) => {
    const file = join(await temporaryFolder(t), 'credentials');
    await writeFile(file, keys('AKIAOLD'));
    let expired = '';
    const server = await startScriptedDynamoDb(({ action, accessKey }) => {
      if (accessKey === expired) return { error: 'ExpiredTokenException', message: 'it is expired' };
      return action === 'Scan' ? page([1]) : described({ items });
    });
    await withFile(file, async () => {
      const source = createDynamoDbSource({
        table: 'scripted',
        region: null,
        endpoint: server.endpoint,
        columns: [],
        only: null,
        rename: {},
        consistent: false,
        segments: 4,
        maxReadCapacity: null,
        maxPollMegabytes: null,
        threads,
      });
      t.after(() => Promise.all([source.close(), server.close()]));
      const read = () => source.read({ known: [], signal: NEVER });
      await read();
      expired = 'AKIAOLD';
      await assert.rejects(read(), { code: 'CREDENTIALS_EXPIRED' });
      await writeFile(file, keys('AKIANEW'));
      assert.ok((await read()).rows.ends.length > 0);
      assert.equal(server.requests.at(-1)?.accessKey, 'AKIANEW');
    });
  });
}

test('a credentials file that appears after the start is read', async (t) => {
  const file = join(await temporaryFolder(t), 'credentials');
  const clock = new TestClock();
  const id = 'i-0123456789abcdef0';
  const standIn = await startAwsStandIn({ world: new TestWorld({ 'eu-test-1': [instance(id)] }), clock });
  const endpoints = { AWS_ENDPOINT_URL_EC2: standIn.endpoint, AWS_ENDPOINT_URL_CLOUDWATCH: standIn.endpoint };
  await withEnvironment(endpoints, () =>
    withFile(file, async () => {
      const source = createInstancesSource({ ids: [id], tags: {}, regions: [], clock });
      t.after(() => Promise.all([source.close(), standIn.close()]));
      const read = () => source.read({ known: [], signal: NEVER });
      await assert.rejects(read(), { code: 'CREDENTIALS_MISSING' });
      await writeFile(file, keys('AKIANEW'));
      assert.equal((await read()).rows.ends.length, 1);
    }),
  );
});
