import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Clock } from '../../../base/clock.js';
import { clockOffset, type RawRecord, recordsOf } from './client.js';
import { DescribeStreamCommand, GetRecordsCommand, GetShardIteratorCommand } from './sdk.js';

/** What reading a stream cost. */
export interface StreamCost {
  /** GetRecords requests: what is billed. */
  reads: number;
  requests: number;
  attempts: number;
  /** Of response bodies. */
  bytes: number;
}

export interface Iterator {
  readonly value: string;
  /** When it was made or used, in milliseconds since the epoch. */
  readonly at: number;
}

export type IteratorStart =
  | { readonly ShardIteratorType: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly ShardIteratorType: 'AFTER_SEQUENCE_NUMBER'; readonly SequenceNumber: string };

/** A shard as DescribeStream lists it. */
export interface Shard {
  readonly id: string;
  readonly parent: string | null;
}

/** The three requests of a stream, and what they cost. They reject with what the SDK threw. */
export class StreamRequests {
  readonly stream: string;
  readonly #client: DynamoDBStreamsClient;
  readonly #clock: Clock;
  #cost = noCost();

  constructor(client: DynamoDBStreamsClient, stream: string, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
    this.stream = stream;
  }

  /** This machine's time, in milliseconds since the epoch. */
  now(): number {
    return this.#clock.now();
  }

  /** AWS's time, which records have. */
  serverNow(): number {
    return this.#clock.now() + clockOffset(this.#client);
  }

  /** The cost since the last call. */
  takeCost(): StreamCost {
    const cost = this.#cost;
    this.#cost = noCost();
    return cost;
  }

  /** All shards of the stream, page by page. */
  async shards(signal: AbortSignal): Promise<readonly Shard[]> {
    const shards: Shard[] = [];
    const pages = new Set<string>();
    for (let from: string | undefined; ; ) {
      const command = new DescribeStreamCommand({
        StreamArn: this.stream,
        ...(from === undefined ? {} : { ExclusiveStartShardId: from }),
      });
      const { StreamDescription: found, $metadata } = await this.#client.send(command, {
        abortSignal: signal,
      });
      this.#count($metadata.attempts, 0);
      for (const { ShardId: id, ParentShardId: parent = null } of found?.Shards ?? [])
        if (id !== undefined) shards.push({ id, parent });
      from = found?.LastEvaluatedShardId;
      // Pages that repeat would never end.
      if (from === undefined || pages.has(from)) return shards;
      pages.add(from);
    }
  }

  async iterator(shard: string, start: IteratorStart, signal: AbortSignal): Promise<Iterator> {
    const command = new GetShardIteratorCommand({ StreamArn: this.stream, ShardId: shard, ...start });
    const answer = await this.#client.send(command, { abortSignal: signal });
    this.#count(answer.$metadata.attempts, 0);
    return { value: answer.ShardIterator ?? '', at: this.now() };
  }

  /** `next`: null at the end of a closed shard. */
  async records(
    { value }: Iterator,
    signal: AbortSignal,
  ): Promise<{
    readonly records: readonly RawRecord[];
    readonly bytes: number;
    readonly next: Iterator | null;
  }> {
    const command = new GetRecordsCommand({ ShardIterator: value });
    const answer = await this.#client.send(command, { abortSignal: signal });
    const { records, bytes } = recordsOf(answer);
    this.#cost.reads += 1;
    this.#count(answer.$metadata.attempts, bytes);
    const next = answer.NextShardIterator;
    return { records, bytes, next: next == null ? null : { value: next, at: this.now() } };
  }

  #count(attempts = 1, bytes: number): void {
    this.#cost.requests += 1;
    this.#cost.attempts += attempts;
    this.#cost.bytes += bytes;
  }
}

function noCost(): StreamCost {
  return { reads: 0, requests: 0, attempts: 0, bytes: 0 };
}
