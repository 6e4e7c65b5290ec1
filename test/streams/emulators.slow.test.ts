/** Streams that are not of our own making, and the demo's: a writer with a known history, and a service that is killed now and then. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../src/base/clock.js';
import { decodeRow, rowAt } from '../../src/csv/decode.js';
import { createStreamSource } from '../../src/sources/dynamodb/streams/source.js';
import { ScanThreads } from '../../src/sources/dynamodb/threads.js';
import { type Emulator, startTestDynamoDb, type TestDynamoDb } from '../support/dynalite.js';
import { withoutDynoxide } from '../support/dynoxide.js';
import { at, FaultyFiles } from '../support/faulty-files.js';
import { withoutMoto } from '../support/moto.js';
import { ALL_KEPT } from '../support/recorder-runs.js';
import { SCRIPTED_TABLE } from '../support/scripted-source.js';
import { historyOf, Lives, seeded, type Written } from './history.js';

/** `DYNAMODB_EMULATOR` selects one; by default all that are installed. */
const selected = process.env.DYNAMODB_EMULATOR;
const EMULATORS: readonly (readonly [Emulator, string | false])[] = [
  ['stand-in', false],
  ['dynoxide', withoutDynoxide],
  ['moto', withoutMoto],
];
/** Operations of its files at which the service is killed, one life after another. */
const KILLED_AT = [23, 41, 60, 37];

for (const [emulator, isMissing] of EMULATORS) {
  if (selected !== undefined && selected !== emulator) continue;
  describe(`a stream of ${emulator}`, { skip: isMissing }, () => {
    let dynamoDb: TestDynamoDb;
    let threads: ScanThreads;
    before(async () => {
      dynamoDb = await startTestDynamoDb(emulator);
      threads = new ScanThreads({ size: 1 });
    });
    after(async () => {
      await threads?.close();
      await dynamoDb?.close();
    });

    const writtenTo = async (): Promise<Written> => {
      const table = await dynamoDb.createTable({ id: 'S' }, undefined, [], 'NEW_AND_OLD_IMAGES');
      return {
        endpoint: dynamoDb.endpoint,
        table,
        async write({ id, count }) {
          const key = { id: { S: id } };
          if (count === null)
            await dynamoDb.client.send(new DeleteItemCommand({ TableName: table, Key: key }));
          else {
            const Item = { ...key, count: { N: String(count) } };
            await dynamoDb.client.send(new PutItemCommand({ TableName: table, Item }));
          }
        },
        close: async () => undefined,
      };
    };

    test('each write is one change, once, although the service is killed', async () => {
      const written = await writtenTo();
      const history = historyOf(seeded(7), 200, 12, false);
      const kept = { ...ALL_KEPT['a snapshot, a log and changes']!, logName: 'items-log' };
      const life = { written, history, before: 20, perReading: 9, kept, threads, clock: systemClock };
      const lives = new Lives(life);
      for (const operation of KILLED_AT) {
        const files = new FaultyFiles(lives.disk, at(operation, { stops: true, part: 0.5 }));
        await lives.live(files).catch((error: Error) => {
          if (!files.isStopped) throw error;
        });
      }
      await lives.live();
      await lives.checkItems();
      await lives.checkExactChanges();
    });

    for (const viewType of ['NEW_IMAGE', 'KEYS_ONLY', 'OLD_IMAGE'] satisfies StreamViewType[]) {
      test(`a stream of ${viewType}`, async () => {
        const table = await dynamoDb.createTable({ id: 'S', at: 'N' }, undefined, [], viewType);
        const item = (id: string, count: number) => ({
          id: { S: id },
          at: { N: '1.5' },
          count: { N: String(count) },
        });
        await dynamoDb.put(table, [item('a', 1), item('b', 1)]);
        const source = createStreamSource({
          ...SCRIPTED_TABLE,
          table,
          endpoint: dynamoDb.endpoint,
          threads,
          stream: true,
          interval: 1_000,
        });
        const { signal } = new AbortController();
        const full = await source.read({ known: [], position: null, signal });
        assert.equal(full.rows.ends.length, 2);
        const { id, at: time } = item('b', 1);
        await dynamoDb.put(table, [item('a', 2)]);
        await dynamoDb.client.send(
          new BatchWriteItemCommand({
            RequestItems: { [table]: [{ DeleteRequest: { Key: { id, at: time } } }] },
          }),
        );
        await dynamoDb.put(table, [item('c', 3)]);
        const told: string[] = [];
        for (let { position } = full; told.length < 3; ) {
          const reading = await source.read({ known: full.rows.columns, position, signal });
          assert.equal(reading.kind, 'delta');
          position = reading.position;
          for (let row = 0; reading.kind === 'delta' && row < reading.rows.ends.length; row += 1)
            told.push([reading.records[row]!.change, ...decodeRow(rowAt(reading.rows, row))].join(' '));
        }
        assert.deepEqual(told, ['put a 1.5 2', 'remove b 1.5 ', 'put c 1.5 3']);
        await source.close();
      });
    }
  });
}
