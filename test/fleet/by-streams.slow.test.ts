/** The fleet by streams and by polls, over the same tables, midnight and nightly reset: the same dashboards, and exact days. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { parse } from 'yaml';
import type { Clock } from '../../src/base/clock.js';
import { createLogger } from '../../src/base/logger.js';
import { projectRoot } from '../../src/base/project.js';
import { configurationFrom } from '../../src/config/config.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { openLookups } from '../../src/datasets/lookups.js';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { City } from '../../src/demo/city.js';
import { createTables, type LocalDynamoDb, startDynamoDb } from '../../src/demo/dynamodb.js';
import { Fleet } from '../../src/demo/fleet.js';
import { IncidentPlan } from '../../src/demo/incidents.js';
import { nextDate } from '../../src/demo/local-time.js';
import { Simulator } from '../../src/demo/simulator.js';
import { FLEET_TABLE_NAMES } from '../../src/demo/tables.js';
import { readManhattan } from '../../src/demo/zones.js';
import { openSources } from '../../src/sources/index.js';
import { Sql } from '../../src/sql/sql.js';
import { useTestAws } from '../support/aws.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { unsyncedFiles } from '../support/unsynced-files.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const zoneFile = join(projectRoot, 'config/lookups/zones.csv');
const city = new City({ zones: readManhattan(zoneFile), timeZone: 'America/New_York', seed: 1 });
const logger = createLogger({ level: 'silent' });
const DAY = '2026-02-03';
const MIDNIGHT = city.clock.timeOf(nextDate(DAY, 1), 0);
const RESET = city.resetOf(nextDate(DAY, 1));
/** Views of other sources than the four tables. */
const OTHERS = /^(api-server|dataset-age)/;
/** Views of the times of single destinations: those of the polls that found them, or of the writes. */
const TIMED = ['assignment-times-per-hour', 'success-rate-per-zone', 'taxi-destination-changes'];

let now = MIDNIGHT - 40 * MINUTE;
/** Time passes while somebody waits, and when the test says so. */
const clock: Clock = {
  now: () => now,
  sleep: async (milliseconds) => {
    now += milliseconds;
  },
};

let database: LocalDynamoDb;
let client: DynamoDBClient;
before(async () => {
  useTestAws();
  database = await startDynamoDb(clock);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: database.endpoint,
  });
  client = new DynamoDBClient({});
});
after(async () => {
  client.destroy();
  await database.close();
});

/** What a service publishes of the fleet's tables as they are configured, with these further options. */
async function serviceOf(dataDir: string, more: object) {
  await mkdir(join(dataDir, '.dynamo-csv'), { recursive: true });
  const { tables, timeZone } = parse(await readFile(join(projectRoot, 'config/taxi-fleet.yaml'), 'utf8'));
  const given = Object.entries(tables).map(([name, options]) => [name, { ...(options as object), ...more }]);
  const options = { tables: Object.fromEntries(given), timeZone };
  const file = { options, by: 'the test', dataDir };
  const config = await configurationFrom({ env: {}, file, check: false });
  const sources = await openSources(config, { clock, logger, timeZone });
  const registry = new DatasetRegistry();
  const tablesRead = await Promise.all(
    sources.list.map(async ({ source, recording }) => {
      const health = new PollHealth(30_000, clock);
      const recorder = await openTestRecorder({ ...recording, dataDir, files: unsyncedFiles, health });
      for (const dataset of recorder.datasets) registry.add(dataset);
      return { source, recorder };
    }),
  );
  const configured = join(projectRoot, 'config');
  await openLookups({ dir: join(configured, 'lookups'), shown: 'lookups', registry, clock, logger });
  const sql = new Sql({ dataDir, timeZone, registry, clock, logger });
  const views = await sql.openViews(join(configured, 'views'), 'views');
  const { signal } = new AbortController();
  return {
    views: views.map(({ name }) => name).filter((name) => !OTHERS.test(name)),
    async read() {
      for (const { source, recorder } of tablesRead) {
        for (let isMore = true; isMore; ) {
          const { known, position } = recorder;
          const startedAt = now;
          const reading = await source.read({ known, position, signal });
          const { problems } = await recorder.record(reading, startedAt);
          assert.deepEqual(problems, []);
          isMore = reading.nextIn === 0;
        }
      }
    },
    async rows(view: string) {
      const { run } = await sql.queries.window(registry.get(view)!, []);
      let text = '';
      for await (const part of (await run(signal)).body) text += part;
      return text;
    },
    async close() {
      await sql.close();
      for (const { recorder } of tablesRead) await recorder.close();
      await sources.close();
    },
  };
}

/** Pickups and dispatches of the fleet since its last reset, at that time. */
function countedAt(time: number): readonly [pickups: number, dispatches: number] {
  const items = new Fleet(city, time).items('flag-dynamodb');
  const countOf = (type: string) =>
    Number(items.find(({ counter_type }) => counter_type === type)?.count ?? 0);
  return [countOf('pickup'), countOf('dispatch')];
}

test('the fleet by streams has the dashboards of the fleet by polls, and all rides of each day', async (t) => {
  await createTables(client);
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } as const;
  for (const TableName of FLEET_TABLE_NAMES)
    await client.send(new UpdateTableCommand({ TableName, StreamSpecification }));
  const fleet = new Fleet(city, now);
  const rethrow = (error: unknown) => {
    throw error;
  };
  const plan = new IncidentPlan(1, 0, null);
  const simulator = new Simulator({ fleet, plan, client, clock, onError: rethrow });
  await simulator.fill();
  const streams = await serviceOf(await temporaryFolder(t), { stream: true });
  const polls = await serviceOf(await temporaryFolder(t), {});
  /** Both read, as services do: the stream each second, the tables every 30 seconds. */
  const passTo = async (to: number, step: number) => {
    while (now < to) {
      now = Math.min(to, now + step);
      now -= now % SECOND;
      await simulator.step();
      await streams.read();
      // Between whole minutes, as no service polls at the second of a reset.
      if (step > 30 * SECOND || Math.floor(now / SECOND) % 30 === 17) await polls.read();
    }
  };
  try {
    await streams.read();
    await polls.read();
    await passTo(MIDNIGHT - 20 * MINUTE, 10 * MINUTE);
    // Nobody writes: a quiet moment.
    await streams.read();
    await polls.read();
    assert.ok(streams.views.length > 15);
    for (const view of streams.views.filter((name) => !TIMED.includes(name)))
      assert.equal(await streams.rows(view), await polls.rows(view), view);

    const hop = 50 * MINUTE;
    await passTo(MIDNIGHT - 15 * SECOND, hop);
    await passTo(MIDNIGHT + 5 * SECOND, SECOND);
    await passTo(RESET - 25 * SECOND, hop);
    await passTo(RESET + 5 * SECOND, SECOND);
    await passTo(RESET + hop, hop);
    const end = now;
    await polls.read();
    const [evening, late, early] = [countedAt(MIDNIGHT - SECOND), countedAt(RESET - SECOND), countedAt(end)];
    const exact = [evening, [0, 1].map((index) => late[index]! - evening[index]! + early[index]!)];
    const perDay = async ({ rows }: typeof streams) =>
      (await rows('rides-per-day'))
        .trim()
        .split('\n')
        .slice(1)
        .map((row) => row.split(',').slice(3, 5).map(Number));
    assert.deepEqual(await perDay(streams), exact);
    const polled = await perDay(polls);
    assert.ok(polled[1]![0]! < exact[1]![0]!, 'polls miss what fell between the last one and the reset');
    assert.notDeepEqual(polled[0], exact[0], 'and count some rides for the next day');
  } finally {
    await streams.close();
    await polls.close();
  }
});
