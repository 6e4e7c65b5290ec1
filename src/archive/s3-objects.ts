import { setTimeout as delay } from 'node:timers/promises';
import { clientOptions, prepareClient } from '../sources/aws/client.js';
import type { Deadlines } from '../sources/aws/deadlines.js';
import { archiveFailed } from './errors.js';
import type { Condition, ListedObject, ObjectStore, StoredObject } from './objects.js';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from './sdk.js';

export interface S3Place {
  readonly bucket: string;
  /** Ends with a slash, or is empty. */
  readonly prefix: string;
  /** Null: the region that the SDK finds. */
  readonly region: string | null;
}

/** Concurrent requests to the bucket. */
const MAX_SOCKETS = 8;
/** A part of 8 MB takes a while on a slow line. */
const DEADLINES: Deadlines = { silence: 10_000, request: 60_000 };
/** `DeleteObjects` takes at most that many keys (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html). */
const MOST_DELETES = 1_000;

/** Milliseconds between two attempts at a write that meets another one of its key, and how many there are. */
const [CONFLICT_PAUSE, CONFLICTS] = [200, 10];

/** An S3 bucket, or what speaks its protocol (`AWS_ENDPOINT_URL_S3`). */
export class S3Objects implements ObjectStore {
  readonly location: string;
  readonly #place: S3Place;
  readonly #client: S3Client;

  constructor(place: S3Place) {
    this.#place = place;
    this.location = `s3://${place.bucket}/${place.prefix}`;
    this.#client = new S3Client({
      ...(place.region === null ? {} : { region: place.region }),
      ...clientOptions({ maxSockets: MAX_SOCKETS, silence: DEADLINES.silence }),
      // Other servers than S3 have no host name for each bucket, and not all know the newer checksums.
      forcePathStyle: isElsewhere(),
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    prepareClient(this.#client, DEADLINES);
  }

  async get(key: string, signal?: AbortSignal): Promise<StoredObject | null> {
    const options = signal === undefined ? {} : { abortSignal: signal };
    try {
      const answer = await this.#client.send(new GetObjectCommand({ ...this.#named(key) }), options);
      const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      return { bytes, version: answer.ETag ?? '' };
    } catch (error) {
      signal?.throwIfAborted();
      if (isNamed(error, 'NoSuchKey')) return null;
      throw archiveFailed('s3:GetObject', `${this.location}${key}`, error);
    }
  }

  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<string | null> {
    const only =
      condition === null
        ? {}
        : condition === 'absent'
          ? { IfNoneMatch: '*' }
          : { IfMatch: condition.version };
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#client.send(
          new PutObjectCommand({ ...this.#named(key), Body: bytes, ContentLength: bytes.length, ...only }),
        );
        return answer.ETag ?? '';
      } catch (error) {
        // NoSuchKey: the object to replace is gone.
        if (isNamed(error, 'PreconditionFailed', 'NoSuchKey')) return null;
        // 409: another conditional write of the key is in progress. It may be this one, which the SDK sent again after its
        // answer was lost; whether the condition holds is known when that one is over.
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        if (!isNamed(error, 'ConditionalRequestConflict') || attempt === CONFLICTS)
          throw archiveFailed('s3:PutObject', `${this.location}${key}`, error);
        await delay(CONFLICT_PAUSE);
      }
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<ListedObject> {
    const start = this.#place.prefix;
    let token: string | undefined;
    do {
      const page = await this.#page(start + prefix, after === undefined ? undefined : start + after, token);
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        yield { key: Key.slice(start.length), size: Size, modifiedAt: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += MOST_DELETES) {
      const Objects = keys
        .slice(start, start + MOST_DELETES)
        .map((key) => ({ Key: this.#place.prefix + key }));
      try {
        const command = new DeleteObjectsCommand({
          Bucket: this.#place.bucket,
          Delete: { Objects, Quiet: true },
        });
        const [failed] = (await this.#client.send(command)).Errors ?? [];
        if (failed !== undefined)
          throw Object.assign(new Error(failed.Message ?? ''), { name: failed.Code ?? 'Error' });
      } catch (error) {
        throw archiveFailed('s3:DeleteObject', `${this.location}${keys[start]}`, error);
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #named(key: string) {
    return { Bucket: this.#place.bucket, Key: this.#place.prefix + key };
  }

  async #page(prefix: string, after: string | undefined, token: string | undefined) {
    try {
      return await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#place.bucket,
          Prefix: prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
          ...(after === undefined ? {} : { StartAfter: after }),
        }),
      );
    } catch (error) {
      throw archiveFailed('s3:ListBucket', `s3://${this.#place.bucket}/${prefix}`, error);
    }
  }
}

/** Whether the SDK is told to use another server than S3. */
function isElsewhere(): boolean {
  return Boolean(process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL);
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
