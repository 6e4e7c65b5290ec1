import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { TEST_AWS } from '../support/aws.js';
import { startMoto, withoutMoto } from '../support/moto.js';
import { startVersitygw, withoutVersitygw } from '../support/versitygw.js';

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

/** Makes a bucket of its own. */
export async function newBucket(endpoint: string): Promise<string> {
  const name = `bucket-${randomUUID()}`;
  const client = new S3Client({ region: TEST_AWS.AWS_REGION, endpoint, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: name }));
  client.destroy();
  return name;
}
