import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { TEST_AWS, useTestAws } from './aws.js';
import { startMoto, withoutMoto } from './moto.js';
import { startVersitygw, withoutVersitygw } from './versitygw.js';

/** An S3 server, as a test starts it. */
export interface S3Server {
  readonly name: string;
  /** Why its tests are skipped; false: they are not. */
  readonly skip: string | false;
  /** Whether it looks at a write's condition and writes in one step, so that of writes at the same time one wins. */
  readonly isAtomic: boolean;
  start(): Promise<{ readonly endpoint: string; close(): Promise<void> }>;
}

/** One that speaks AWS's formats, and one that keeps objects as a product does. */
export const S3_SERVERS: readonly S3Server[] = [
  { name: 'moto', skip: withoutMoto, isAtomic: false, start: startMoto },
  { name: 'versitygw', skip: withoutVersitygw, isAtomic: true, start: startVersitygw },
];

/** One server for all tests of a file. */
export interface UsedS3 {
  readonly skip: string | false;
  readonly endpoint: string;
  /** Makes a bucket for one test. */
  newBucket(): Promise<string>;
}

/** Starts a server before the tests of this file, by default moto's, and ends it after them. The SDK has the test's credentials. */
export function useS3({ skip, start }: S3Server = S3_SERVERS[0]!): UsedS3 {
  let server: Awaited<ReturnType<typeof start>>;
  before(async () => {
    useTestAws();
    if (!skip) server = await start();
  });
  after(() => server?.close());
  return {
    skip,
    get endpoint() {
      return server.endpoint;
    },
    newBucket: () => newBucket(server.endpoint),
  };
}

/** Makes a bucket of its own. */
export async function newBucket(endpoint: string): Promise<string> {
  const name = `bucket-${randomUUID()}`;
  await asking(endpoint, (client) => client.send(new CreateBucketCommand({ Bucket: name })));
  return name;
}

/** The keys in a bucket that begin so. */
export async function keysIn(endpoint: string, bucket: string, prefix: string): Promise<string[]> {
  const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix });
  const { Contents = [] } = await asking(endpoint, (client) => client.send(list));
  return Contents.map(({ Key = '' }) => Key);
}

async function asking<T>(endpoint: string, ask: (client: S3Client) => Promise<T>): Promise<T> {
  const client = new S3Client({ region: TEST_AWS.AWS_REGION, endpoint, forcePathStyle: true });
  try {
    return await ask(client);
  } finally {
    client.destroy();
  }
}
