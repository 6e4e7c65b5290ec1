/** What a user relies on when a stream is followed, against a stream that does what no emulator does. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeRow, rowAt } from '../../../../src/csv/decode.js';
import {
  createStreamSource,
  type StreamSourceOptions,
} from '../../../../src/sources/dynamodb/streams/source.js';
import { ScanThreads } from '../../../../src/sources/dynamodb/threads.js';
import type { DeltaReading, Reading, Source } from '../../../../src/sources/source.js';
import { useTestAws } from '../../../support/aws.js';
import { type LogLine, logLines } from '../../../support/log-lines.js';
import { SCRIPTED_TABLE } from '../../../support/scripted-source.js';
import { ScriptedStreams, type ViewType } from '../../../support/scripted-streams.js';

let threads: ScanThreads;
before(() => {
  useTestAws();
  threads = new ScanThreads({ size: 1 });
});
after(() => threads.close());

const number = (value: number) => ({ count: { N: String(value) } });
const { signal } = new AbortController();

interface Following {
  readonly streams: ScriptedStreams;
  readonly source: Source;
  readonly warnings: readonly LogLine[];
  /** Reads from the last position, or from the one given. */
  read(position?: string | null): Promise<Reading>;
  /** Reads until there is nothing more, as `change id count` in order. */
  changes(): Promise<string[]>;
  /** A new source, as after a restart. */
  restart(): void;
  /** Lets time pass. */
  sleep(milliseconds: number): Promise<void>;
  position: string | null;
}

/** Runs a test with a stream and its source. */
async function following(
  options: { readonly viewType?: ViewType; readonly shards?: number } & Partial<StreamSourceOptions>,
  run: (following: Following) => Promise<void>,
): Promise<void> {
  const { viewType, shards, ...own } = options;
  let time = Date.now();
  const clock = options.clock ?? {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds;
    },
  };
  const streams = await ScriptedStreams.start({
    ...(viewType === undefined ? {} : { viewType }),
    ...(shards === undefined ? {} : { shards }),
  });
  streams.now = clock.now;
  const { logger, lines } = logLines('warn');
  const create = () =>
    createStreamSource({
      ...SCRIPTED_TABLE,
      endpoint: streams.endpoint,
      threads,
      logger,
      clock,
      stream: true,
      interval: 1_000,
      ...own,
    });
  let source = create();
  const world: Following = {
    streams,
    get source() {
      return source;
    },
    warnings: lines,
    position: null,
    sleep: (milliseconds) => clock.sleep(milliseconds),
    async read(position = world.position) {
      const reading = await source.read({ known: [], position, signal });
      world.position = reading.position;
      return reading;
    },
    async changes() {
      const found: string[] = [];
      for (let empty = 0; empty < 4; ) {
        const reading = await world.read();
        const told =
          reading.kind === 'delta' ? toldBy(reading) : itemsOf(reading).map((item) => `scan ${item}`);
        found.push(...told);
        empty = told.length === 0 && reading.nextIn !== 0 ? empty + 1 : 0;
      }
      return found;
    },
    restart() {
      void source.close();
      source = create();
    },
  };
  try {
    await run(world);
  } finally {
    await source.close();
    await streams.close();
  }
}

function itemsOf({ rows }: Reading): string[] {
  const [id, count] = ['id', 'count'].map((name) => rows.columns.findIndex((column) => column.name === name));
  return Array.from(rows.ends, (_, index) => {
    const cells = decodeRow(rowAt(rows, index));
    return [cells[id!], cells[count!]].filter((cell) => cell != null).join(' ');
  });
}

function toldBy(reading: DeltaReading): string[] {
  return itemsOf(reading).map((item, index) => `${reading.records[index]!.change} ${item}`);
}

describe('the start', () => {
  test('is a Scan, brought up to date by what was written during it', async () => {
    await following({}, async ({ streams, read }) => {
      for (const id of ['a', 'b', 'c']) streams.put(id, number(1));
      let scans = 0;
      streams.script.before = (action) => {
        if (action !== 'Scan' || ++scans !== 1) return;
        // In the Scan's answer already, and in the stream once more.
        streams.put('a', number(2));
        streams.remove('b');
        // Written while the Scan's answer is on its way, so only in the stream.
        setImmediate(() => {
          streams.put('c', number(9));
          streams.put('d', number(1));
        });
      };
      const reading = await read();
      assert.equal(reading.kind, 'full');
      assert.deepEqual(itemsOf(reading), ['a 2', 'c 9', 'd 1'], 'in key order');
      assert.deepEqual(toldBy((await read()) as DeltaReading), [], 'nothing comes twice, or goes back');
    });
  });

  test('columns keep the types that the Scan found, although no record during it has a value for them', async () => {
    await following({}, async ({ streams, read }) => {
      streams.put('a', number(1));
      streams.script.before = (action) => {
        if (action === 'Scan') streams.put('b', { price: { N: '1.5' } });
      };
      const { rows } = await read();
      assert.deepEqual(
        rows.columns.map(({ name, type, seen }) => `${name} ${type} ${seen}`),
        ['id string true', 'count number true', 'price number true'],
      );
      assert.equal(rows.body.toString(), 'a,1,\nb,,1.5\n');
    });
  });

  test('has nothing of what is in the stream from before', async () => {
    await following({ shards: 3 }, async ({ streams, read, changes }) => {
      for (let count = 1; count <= 20; count += 1) streams.put(`item-${count % 5}`, number(count));
      assert.equal((await read()).kind, 'full');
      streams.put('item-1', number(21));
      assert.deepEqual(await changes(), ['put item-1 21']);
    });
  });

  test('after a restart without any record, older records do not come again, and newer ones do', async () => {
    await following({}, async (world) => {
      const { streams } = world;
      const { now } = streams;
      streams.now = () => now() - 60_000;
      streams.put('a', number(1));
      streams.put('a', number(2));
      streams.now = now;
      assert.deepEqual(itemsOf(await world.read()), ['a 2']);
      world.restart();
      streams.put('a', number(3));
      assert.deepEqual(await world.changes(), ['put a 3']);
    });
  });
});

describe('records', () => {
  test('several of one item are all there, in order, with their times', async () => {
    await following({}, async (world) => {
      const { streams } = world;
      await world.read();
      const at = Date.parse('2026-11-24T09:30:00.000Z');
      streams.now = () => at;
      for (let count = 1; count <= 3; count += 1) streams.put('a', number(count));
      streams.remove('a');
      streams.put('a', number(4));
      const reading = (await world.read()) as DeltaReading;
      assert.deepEqual(toldBy(reading), ['put a 1', 'put a 2', 'put a 3', 'remove a', 'put a 4']);
      assert.deepEqual(new Set(reading.records.map((record) => record.at)), new Set([at]));
    });
  });

  test('a deletion by time to live is told from one by a person', async () => {
    await following({}, async (world) => {
      world.streams.put('a');
      world.streams.put('b');
      await world.read();
      world.streams.remove('a');
      world.streams.remove('b', 'time to live');
      assert.deepEqual(await world.changes(), ['remove a', 'expire b']);
    });
  });

  test('empty answers do not mean the end', async () => {
    await following({}, async (world) => {
      await world.read();
      world.streams.script.emptyAnswers = 3;
      world.streams.script.mostRecords = 2;
      for (let count = 1; count <= 6; count += 1) world.streams.put('a', number(count));
      assert.deepEqual(
        await world.changes(),
        [1, 2, 3, 4, 5, 6].map((count) => `put a ${count}`),
      );
    });
  });

  test('columns that come with a record are there from then on, with their types', async () => {
    await following({ rename: { price: 'cost' } }, async (world) => {
      world.streams.put('a', number(1));
      await world.read();
      world.streams.put('b', { price: { N: '1.50' }, isNew: { BOOL: true } });
      const { rows } = await world.read();
      assert.deepEqual(
        rows.columns.filter(({ seen }) => seen).map(({ name, type }) => `${name} ${type}`),
        ['id string', 'cost number', 'isNew boolean'],
      );
      assert.equal(rows.body.toString(), 'b,1.50,true\n');
    });
  });

  for (const viewType of ['NEW_IMAGE', 'KEYS_ONLY', 'OLD_IMAGE'] as const) {
    test(`a stream of ${viewType}`, async () => {
      await following({ viewType }, async (world) => {
        const { streams } = world;
        streams.put('a', number(1));
        streams.put('b', number(1));
        await world.read();
        streams.put('a', number(2));
        streams.put('c', number(7));
        streams.remove('b', 'time to live');
        assert.deepEqual(await world.changes(), ['put a 2', 'put c 7', 'expire b']);
      });
    });
  }

  test('of a stream without images, keys that BatchGetItem leaves unprocessed are asked for again', async () => {
    await following({ viewType: 'KEYS_ONLY' }, async (world) => {
      await world.read();
      for (let count = 0; count < 250; count += 1) world.streams.put(`item-${count}`, number(count));
      world.streams.script.unprocessed = (request, key) => request % 2 === 0 && key % 3 === 0;
      const told = await world.changes();
      assert.equal(told.length, 250);
      assert.ok(told.includes('put item-249 249'));
      assert.ok(world.streams.counts.BatchGetItem! > 3);
    });
  });
});

describe('shards', () => {
  test('a parent is read to its end before its children begin', async () => {
    await following({ shards: 2 }, async (world) => {
      const { streams } = world;
      await world.read();
      streams.script.mostRecords = 3;
      const expected: string[] = [];
      for (let count = 1; count <= 60; count += 1) {
        streams.put('a', number(count));
        expected.push(`put a ${count}`);
        if (count % 15 === 0) for (const shard of streams.open) streams.split(shard);
      }
      assert.deepEqual(await world.changes(), expected);
    });
  });

  test('children of a shard that ended are found when they are listed later, over several pages', async () => {
    await following({ shards: 4 }, async (world) => {
      const { streams } = world;
      streams.script.shardsPerPage = 3;
      await world.read();
      for (let round = 1; round <= 3; round += 1) {
        for (const shard of streams.open) streams.roll(shard);
        for (let id = 0; id < 20; id += 1) streams.put(`item-${id}`, number(round));
      }
      const told = await world.changes();
      assert.equal(told.length, 60);
      for (let id = 0; id < 20; id += 1)
        assert.deepEqual(
          told.filter((change) => change.startsWith(`put item-${id} `)),
          [1, 2, 3].map((round) => `put item-${id} ${round}`),
        );
    });
  });

  test('several are read at once, each by one reader', async () => {
    await following({ shards: 5 }, async (world) => {
      await world.read();
      for (let id = 0; id < 500; id += 1) world.streams.put(`item-${id}`, number(id));
      world.streams.script.mostRecords = 10;
      assert.equal((await world.changes()).length, 500);
      assert.equal(world.streams.mostReaders, 1);
    });
  });
});

describe('interruptions', () => {
  test('a restart continues from the position, and only from there', async () => {
    await following({ shards: 2 }, async (world) => {
      const { streams } = world;
      await world.read();
      streams.put('a', number(1));
      streams.put('b', number(1));
      await world.changes();
      const position = world.position;
      streams.put('a', number(2));
      assert.deepEqual(await world.changes(), ['put a 2']);
      world.restart();
      world.position = position;
      streams.put('b', number(2));
      assert.deepEqual(
        (await world.changes()).sort(),
        ['put a 2', 'put b 2'],
        'what was not recorded comes again',
      );
    });
  });

  test('iterators that have expired are made anew', async () => {
    await following({}, async (world) => {
      await world.read();
      world.streams.put('a', number(1));
      await world.changes();
      world.streams.put('a', number(2));
      world.streams.expireIterators();
      world.streams.put('a', number(3));
      assert.deepEqual(await world.changes(), ['put a 2', 'put a 3']);
    });
  });

  test('a break of more than a day is a Scan, and is logged', async () => {
    let now = Date.now();
    const sleep = async (time: number) => {
      now += time;
    };
    const clock = { now: () => now, sleep };
    await following({ clock }, async (world) => {
      const { streams } = world;
      streams.now = () => now;
      streams.put('a', number(1));
      await world.read();
      streams.put('a', number(2));
      await world.changes();
      world.restart();
      streams.put('a', number(3));
      streams.put('b', number(1));
      now += 25 * 3_600_000;
      streams.trim();
      const reading = await world.read();
      assert.equal(reading.kind, 'full');
      assert.deepEqual(itemsOf(reading), ['a 3', 'b 1']);
      assert.match(world.warnings[0]!.msg, /cannot be continued, because it was last read 25h ago/);
      streams.put('a', number(4));
      assert.deepEqual(await world.changes(), ['put a 4']);
    });
  });

  test('records that were trimmed before they were read are a Scan, and that is logged', async () => {
    await following({ shards: 2 }, async (world) => {
      const { streams } = world;
      await world.read();
      streams.put('a', number(1));
      await world.changes();
      world.restart();
      streams.put('a', number(2));
      for (const shard of streams.open) streams.roll(shard);
      streams.trim();
      assert.deepEqual(itemsOf(await world.read()), ['a 2']);
      assert.match(world.warnings[0]!.msg, /records of shard shardId-\d+ were trimmed before they were read/);
    });
  });

  test('a last record that was trimmed is no break while the shard was read since', async () => {
    await following({}, async (world) => {
      const { streams } = world;
      await world.read();
      streams.put('a', number(1));
      await world.changes();
      streams.trim();
      world.restart();
      streams.put('a', number(2));
      assert.deepEqual(await world.changes(), ['put a 2']);
      assert.deepEqual(world.warnings, []);
    });
  });

  test('a stream that is enabled again is a Scan, and that is logged', async () => {
    await following({}, async (world) => {
      world.streams.put('a', number(1));
      await world.read();
      world.streams.renew();
      world.streams.put('a', number(2));
      world.restart();
      assert.deepEqual(itemsOf(await world.read()), ['a 2']);
      assert.match(world.warnings[0]!.msg, /it was enabled again/);
    });
  });

  test('throttling is retried, then reported, and what other shards had counts', async () => {
    await following({ shards: 2 }, async (world) => {
      await world.read();
      for (let id = 0; id < 10; id += 1) world.streams.put(`item-${id}`, number(id));
      world.streams.script.throttle = 1;
      assert.equal((await world.changes()).length, 10, 'once is not a problem');
      world.streams.script.throttle = 100;
      const reading = await world.read();
      assert.equal(reading.problem?.code, 'TABLE_THROTTLED');
      assert.match(reading.problem!.message, /there are too many requests for the shard/);
      assert.ok(reading.nextIn! >= 2_000, 'it is left alone for a while');
      world.streams.script.throttle = 0;
      world.streams.put('item-1', number(100));
      assert.deepEqual(await world.changes(), ['put item-1 100']);
    });
  });
});

describe('a table without a stream', () => {
  test('is an error that names the remedy, for stream: true', async () => {
    await following({}, async (world) => {
      world.streams.isEnabled = false;
      await assert.rejects(world.read(), (error: Error & { code: string; line: string }) => {
        assert.equal(error.code, 'STREAM_MISSING');
        assert.match(error.line, /There is no enabled stream on table scripted .*--stream-specification/);
        return true;
      });
    });
  });

  test('is polled, for stream: auto, and followed once it has one', async () => {
    await following({ stream: 'auto' }, async (world) => {
      const { streams } = world;
      streams.isEnabled = false;
      streams.put('a', number(1));
      const polled = await world.read();
      assert.deepEqual([polled.kind, polled.position, polled.nextIn], ['full', null, undefined]);
      streams.isEnabled = true;
      world.restart();
      assert.notEqual((await world.read()).position, null);
      streams.put('a', number(2));
      assert.deepEqual(await world.changes(), ['put a 2']);
    });
  });
});

test('a stream is read every second, less often after a quiet minute, and at once while there is more', async () => {
  let now = Date.now();
  const sleep = async (time: number) => {
    now += time;
  };
  await following({ interval: 3_000, clock: { now: () => now, sleep } }, async (world) => {
    world.streams.now = () => now;
    assert.equal((await world.read()).nextIn, 1_000);
    assert.equal((await world.read()).nextIn, 1_000);
    now += 60_000;
    const pauses: number[] = [];
    for (let read = 0; read < 4; read += 1) pauses.push((await world.read()).nextIn!);
    assert.deepEqual(pauses, [1_500, 2_250, 3_000, 3_000]);
    world.streams.put('a');
    assert.equal((await world.read()).nextIn, 1_000);
    for (let count = 0; count < 10_500; count += 1) world.streams.put('a', number(count));
    const reading = await world.read();
    assert.equal(reading.nextIn, 0);
    assert.ok(reading.rows.ends.length <= 11_000, 'a reading is bounded');
  });
});

test('verification: a Scan beside the readings shows what differs, as of the position, and what is written meanwhile', async () => {
  await following({ verify: 1 }, async (world) => {
    const { streams } = world;
    for (const id of ['a', 'b', 'c']) streams.put(id, number(1));
    await world.read();
    streams.putSilently('b', number(7));
    let scans = 0;
    streams.script.before = (action) => {
      if (action === 'Scan' && ++scans === 1) setImmediate(() => streams.put('c', number(2)));
    };
    let verified: Reading | null = null;
    const told: string[] = [];
    while (verified === null) {
      await world.sleep(500);
      const reading = await world.read();
      if (reading.kind === 'delta') told.push(...toldBy(reading));
      else verified = reading;
    }
    assert.deepEqual(told, ['put c 2'], 'the stream is followed meanwhile');
    assert.equal(verified.kind === 'full' && verified.verifies, true);
    assert.deepEqual(itemsOf(verified), ['a 1', 'b 7', 'c 2']);
    streams.put('a', number(3));
    const next = await world.read();
    assert.deepEqual(next.kind === 'delta' && toldBy(next), ['put a 3']);
  });
});
