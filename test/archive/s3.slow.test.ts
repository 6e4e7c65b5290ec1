import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ArchiveLease } from '../../src/archive/lease.js';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { systemClock } from '../../src/base/clock.js';
import { withEnvironment } from '../support/aws.js';
import { S3_SERVERS, useS3 } from '../support/s3-servers.js';
import { testArchivedStore } from './archived-store-suite.js';
import { testObjectStore } from './object-store-suite.js';

/** The archive's objects, the history's store and the lease in S3, and the errors for a bucket that is not as it should be. */

const place = (bucket: string) => ({ bucket, prefix: 'fleet/', region: null });
const never = new AbortController().signal;

for (const server of S3_SERVERS) {
  const { name, skip, isAtomic } = server;
  const s3 = useS3(server);

  const objectsAt = async (t: TestContext, bucket: string) => {
    process.env.AWS_ENDPOINT_URL_S3 = s3.endpoint;
    const store = new S3Objects(place(bucket));
    t.after(() => store.close());
    return store;
  };
  const newObjects = async (t: TestContext) => objectsAt(t, await s3.newBucket());

  testObjectStore(name, newObjects, { skip, isAtomic });
  testArchivedStore(name, newObjects, { skip });

  test(`${name}: of services that want the lease at the same time one gets it`, { skip }, async (t) => {
    const objects = await newObjects(t);
    const stop = new AbortController();
    const takes: Promise<ArchiveLease>[] = [];
    for (const number of [1, 2, 3, 4]) {
      const holder = { name: `service ${number}`, token: String(number) };
      takes.push(ArchiveLease.take(objects, holder, { clock: systemClock, signal: stop.signal }));
      // The others come to a lease that is taken.
      if (!isAtomic) await takes[0];
    }
    const first = await Promise.race(takes);
    assert.equal(first.fence, 1);
    stop.abort(new Error('enough'));
    const results = await Promise.allSettled(takes);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await first.renew();
    await first.release();
    const holder = { name: 'service 5', token: '5' };
    const next = await ArchiveLease.take(objects, holder, { clock: systemClock, signal: never });
    assert.equal(next.fence, 2);
    await assert.rejects(first.renew(), { code: 'ARCHIVE_LOST' });
  });

  test(`${name}: a bucket that does not exist is named, with what to do`, { skip }, async (t) => {
    const store = await objectsAt(t, 'nowhere');
    await assert.rejects(store.put('key', Buffer.from('x'), null), {
      code: 'ARCHIVE_NO_BUCKET',
      message: /^s3:\/\/nowhere\/fleet\/key: there is no such bucket: /,
      remedy: 'create the bucket, or correct archive.bucket and archive.region',
    });
  });
}

test('a bucket that does not answer is unreachable, not empty', () =>
  withEnvironment({ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' }, async () => {
    const store = new S3Objects(place('bucket'));
    await assert.rejects(store.get('key'), { code: 'AWS_UNREACHABLE', message: /ECONNREFUSED/ });
    store.close();
  }));
