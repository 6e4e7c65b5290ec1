import { createHash } from 'node:crypto';
import { StreamShard } from './shard.js';

/** An item or a key in DynamoDB's JSON. */
export type Item = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export const VIEW_TYPES = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY'] as const;
export type ViewType = (typeof VIEW_TYPES)[number];

/** What a write did to an item. */
export interface Change {
  readonly key: Item;
  /** The item before and after; null: there is none. */
  readonly before: Item | null;
  readonly after: Item | null;
  /** The table's time to live deleted it. */
  readonly isExpiry: boolean;
}

export interface StreamTable {
  readonly name: string;
  readonly arn: string;
  readonly keySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
}

/** Records are kept for 24 hours: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html */
const RETENTION = 24 * 3_600_000;
/** A shard is closed, and another one continues it, after so many milliseconds. With AWS it is some hours, too. */
const SHARD_LIFE = 4 * 3_600_000;
/** Memory is bounded: the oldest of so many records are trimmed before their time, `TRIMMED` at once. */
const MOST_RECORDS = 100_000;
const TRIMMED = 1_000;
/** Sequence numbers have 21 digits or more. */
const FIRST_SEQUENCE = 100_000_000_000_000_000_000n;

/** The stream of one table, in memory. It has one open shard at a time. */
export class TableStream {
  readonly table: StreamTable;
  readonly viewType: ViewType;
  /** When it was enabled, in milliseconds since the epoch. */
  readonly createdAt: number;
  #shards: StreamShard[] = [];
  #sequence = FIRST_SEQUENCE;
  #isEnabled = true;

  constructor(table: StreamTable, viewType: ViewType, createdAt: number) {
    this.table = table;
    this.viewType = viewType;
    this.createdAt = createdAt;
    this.#open(null, createdAt);
  }

  /** `2026-11-29T05:30:00.123`. */
  get label(): string {
    return new Date(this.createdAt).toISOString().slice(0, -1);
  }

  get arn(): string {
    return `${this.table.arn}/stream/${this.label}`;
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** The last sequence number that was given. */
  get latest(): bigint {
    return this.#sequence;
  }

  /** All shards that still are, oldest first. */
  shards(now: number): readonly StreamShard[] {
    this.#roll(now);
    this.#trim(now);
    return this.#shards;
  }

  /** Nothing is added any more; what there is stays until it is a day old. */
  disable(now: number): void {
    this.#isEnabled = false;
    this.#shards.at(-1)?.close(now, this.#sequence);
  }

  add(change: Change, now: number): void {
    const shard = this.shards(now).at(-1)!;
    this.#sequence += 1n;
    const images = this.#images(change);
    const bytes = JSON.stringify(images).length;
    const body = {
      eventID: createHash('md5').update(`${this.arn} ${this.#sequence}`).digest('hex'),
      eventName: change.before === null ? 'INSERT' : change.after === null ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.table.arn.split(':')[3],
      ...(change.isExpiry
        ? { userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' } }
        : {}),
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(now / 1_000),
        ...images,
        SequenceNumber: String(this.#sequence),
        SizeBytes: bytes,
        StreamViewType: this.viewType,
      },
    };
    shard.add({ sequence: this.#sequence, at: now, bytes, body });
  }

  #images({ key, before, after }: Change): object {
    const hasNew = this.viewType === 'NEW_AND_OLD_IMAGES' || this.viewType === 'NEW_IMAGE';
    const hasOld = this.viewType === 'NEW_AND_OLD_IMAGES' || this.viewType === 'OLD_IMAGE';
    return {
      Keys: key,
      ...(hasNew && after !== null ? { NewImage: after } : {}),
      ...(hasOld && before !== null ? { OldImage: before } : {}),
    };
  }

  #trim(now: number): void {
    this.#shards = this.#shards.filter((shard) => shard.trim(now - RETENTION));
    if (this.#shards.reduce((sum, { length }) => sum + length, 0) < MOST_RECORDS) return;
    let left = TRIMMED;
    for (const shard of this.#shards) {
      const count = Math.min(left, shard.length);
      shard.drop(count);
      left -= count;
    }
  }

  #roll(now: number): void {
    for (let last = this.#shards.at(-1); this.#isEnabled && last !== undefined; last = this.#shards.at(-1)) {
      const end = last.openedAt + SHARD_LIFE;
      if (now < end) return;
      last.close(end, this.#sequence);
      this.#open(last.id, end);
    }
  }

  #open(parent: string | null, openedAt: number): void {
    this.#shards.push(new StreamShard({ parent, openedAt, begin: this.#sequence }));
  }
}
