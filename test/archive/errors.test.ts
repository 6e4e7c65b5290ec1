import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { useTestAws, withEnvironment } from '../support/aws.js';

/** What a user reads when S3 refuses, by the names that S3 gives its errors. */

before(useTestAws);

const ERRORS: readonly (readonly [name: string, status: number, code: string, remedy: RegExp])[] = [
  ['AuthorizationHeaderMalformed', 400, 'ARCHIVE_WRONG_REGION', /^set archive\.region to the region of/],
  ['PermanentRedirect', 301, 'ARCHIVE_WRONG_REGION', /^set archive\.region to the region of the bucket$/],
  ['NoSuchBucket', 404, 'ARCHIVE_NO_BUCKET', /^create the bucket, or correct archive\.bucket/],
  ['InvalidAccessKeyId', 403, 'CREDENTIALS_REJECTED', /^check the access key and its secret/],
  ['SignatureDoesNotMatch', 403, 'CREDENTIALS_REJECTED', /^check the access key and its secret/],
  ['RequestTimeTooSkewed', 403, 'CREDENTIALS_REJECTED', /the clock of this machine$/],
  ['ExpiredToken', 400, 'CREDENTIALS_EXPIRED', /^renew them/],
  ['AccessDenied', 403, 'AWS_ACCESS_DENIED', /^allow s3:GetObject on the bucket/],
  ['SlowDown', 503, 'AWS_THROTTLED', /^set archive\.every to a longer time$/],
  ['InternalError', 500, 'ARCHIVE_REQUEST_FAILED', /^a running service goes on without the archive/],
];

/** Runs `work` with an archive in an S3 that answers so. */
async function withS3(
  t: TestContext,
  answer: RequestListener,
  work: (objects: S3Objects) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await withEnvironment({ AWS_ENDPOINT_URL_S3: endpoint, AWS_MAX_ATTEMPTS: '1' }, async () => {
    const objects = new S3Objects({ bucket: 'my-bucket', prefix: 'fleet/', region: null });
    t.after(() => objects.close());
    await work(objects);
  });
}

for (const [name, status, code, remedy] of ERRORS) {
  test(`${name} is ${code}, with S3's own sentence and what to do`, async (t) => {
    const sentence = `S3 says ${name} in its words`;
    const answer: RequestListener = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${name}</Code><Message>${sentence}</Message></Error>`);
    };
    await withS3(t, answer, async (objects) => {
      const message = new RegExp(`^s3://my-bucket/fleet/archive\\.json: .*${sentence}`);
      await assert.rejects(objects.get('archive.json'), { code, message, remedy });
    });
  });
}

test('a conditional write that meets another one of its key is tried again: the other may be itself, sent twice', async (t) => {
  const answers: [status: number, name: string][] = [];
  const answer: RequestListener = (request, response) => {
    request.resume();
    const [status, name] = answers.shift() ?? [409, 'ConditionalRequestConflict'];
    response.writeHead(status, { 'content-type': 'application/xml', etag: '"v1"' });
    response.end(status === 200 ? '' : `<?xml version="1.0"?><Error><Code>${name}</Code></Error>`);
  };
  await withS3(t, answer, async (objects) => {
    const put = () => objects.put('lease.json', Buffer.from('{}'), { version: '"v0"' });
    answers.push([409, 'ConditionalRequestConflict'], [200, '']);
    assert.equal(await put(), '"v1"');
    answers.push([409, 'ConditionalRequestConflict'], [412, 'PreconditionFailed']);
    assert.equal(await put(), null);
    await assert.rejects(put(), { code: 'ARCHIVE_REQUEST_FAILED', message: /ConditionalRequestConflict/ });
  });
});
