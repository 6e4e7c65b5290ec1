import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { useTestAws } from '../support/aws.js';
import { type Moto, startMoto, withoutMoto } from '../support/moto.js';
import { testObjectStore } from './object-store-suite.js';

/** The archive's objects in moto's S3, and the errors for a bucket that is not as it should be. */

let moto: Moto;
before(async () => {
  useTestAws();
  if (withoutMoto) return;
  moto = await startMoto();
  process.env.AWS_ENDPOINT_URL_S3 = moto.endpoint;
});
after(() => moto?.close());

const place = (bucket: string) => ({ bucket, prefix: 'fleet/', region: 'us-east-1' });

testObjectStore(
  'S3',
  async (t) => {
    const name = `bucket-${randomUUID()}`;
    const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    client.destroy();
    const store = new S3Objects(place(name));
    t.after(() => store.close());
    return store;
  },
  { skip: withoutMoto },
);

test('a bucket that does not exist is named, with what to do', { skip: withoutMoto }, async (t) => {
  const store = new S3Objects(place('nowhere'));
  t.after(() => store.close());
  await assert.rejects(store.put('key', Buffer.from('x'), null), {
    code: 'ARCHIVE_NO_BUCKET',
    message: /^s3:\/\/nowhere\/fleet\/key: there is no such bucket: /,
    remedy: 'create the bucket, or correct archive.bucket and archive.region',
  });
});

test('a bucket that does not answer is unreachable, not empty', async (t) => {
  const before = process.env.AWS_ENDPOINT_URL_S3;
  process.env.AWS_ENDPOINT_URL_S3 = 'http://127.0.0.1:9';
  process.env.AWS_MAX_ATTEMPTS = '1';
  t.after(() => {
    delete process.env.AWS_MAX_ATTEMPTS;
    if (before === undefined) delete process.env.AWS_ENDPOINT_URL_S3;
    else process.env.AWS_ENDPOINT_URL_S3 = before;
  });
  const store = new S3Objects(place('bucket'));
  t.after(() => store.close());
  await assert.rejects(store.get('key'), { code: 'AWS_UNREACHABLE', message: /ECONNREFUSED/ });
});
