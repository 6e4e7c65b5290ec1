import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../src/sources/dynamodb/threads.js';
import type { Reading, Source } from '../../src/sources/source.js';
import { type Emulator, startTestDynamoDb, type TestDynamoDb } from './dynalite.js';
import { ManualClock } from './manual-clock.js';
import { SCRIPTED_TABLE } from './scripted-source.js';

interface EventsWorld {
  readonly dynamoDb: TestDynamoDb;
  readonly threads: ScanThreads;
}

const signal = new AbortController().signal;

/** A table of events with an index by day, a source that follows it, and the position between its readings. */
export class Follower {
  readonly clock: ManualClock;
  readonly source: Source;
  readonly table: string;
  position: string | null = null;

  constructor(
    { dynamoDb, threads }: EventsWorld,
    table: string,
    now: string,
    options: Partial<DynamoDbSourceOptions> = {},
    overlap = 60_000,
  ) {
    this.table = table;
    this.clock = new ManualClock(now);
    this.source = createDynamoDbSource({
      ...SCRIPTED_TABLE,
      table,
      endpoint: dynamoDb.endpoint,
      query: { index: 'by-day', key: { day: '{today}' }, since: 'at', overlap },
      threads,
      clock: this.clock,
      ...options,
    });
  }

  /** The ids of the items that are new. */
  async next(): Promise<string[]> {
    const reading = await this.source.read({ known: [], position: this.position, signal });
    assert.equal(reading.kind, 'append');
    this.position = reading.position;
    return idsOf(reading);
  }
}

function idsOf({ rows }: Reading): string[] {
  return rows.body
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(',')[0]!);
}

/** A new table of events by id, with an index by day in the order of `at`. */
async function createEvents({ dynamoDb }: EventsWorld, type: 'S' | 'N' | 'B' = 'S'): Promise<string> {
  return dynamoDb.createTable({ id: 'S' }, undefined, [{ name: 'by-day', keys: { day: 'S', at: type } }]);
}

export type NewEvent = readonly [id: string, at: string | AttributeValue, day?: string];

/** Puts events; their day is that of `at`, if it is not given. */
async function putEvents({ dynamoDb }: EventsWorld, table: string, ...items: readonly NewEvent[]) {
  await dynamoDb.put(
    table,
    items.map(([id, at, day]) => {
      const value = typeof at === 'string' ? { S: at } : at;
      return { id: { S: id }, at: value, day: { S: day ?? String(value.S).slice(0, 10) } };
    }),
  );
}

/** Tables of events in an emulator of their own, which is gone when the tests of the file are. */
export function useEvents(emulator: Emulator = 'dynalite') {
  let world: EventsWorld;
  before(async () => {
    world = { dynamoDb: await startTestDynamoDb(emulator), threads: new ScanThreads({ size: 2 }) };
  });
  after(async () => {
    await world.threads.close();
    await world.dynamoDb.close();
  });
  return {
    /** Once the tests of the file run. */
    get world() {
      return world;
    },
    create: (type?: 'S' | 'N' | 'B') => createEvents(world, type),
    put: (table: string, ...items: readonly NewEvent[]) => putEvents(world, table, ...items),
    follow: (table: string, now: string, options?: Partial<DynamoDbSourceOptions>, overlap?: number) =>
      new Follower(world, table, now, options, overlap),
  };
}
