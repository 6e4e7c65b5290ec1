import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'csv-parse/sync';
import { systemClock } from '../../src/base/clock.js';
import { createLogger } from '../../src/base/logger.js';
import { projectRoot } from '../../src/base/project.js';
import { ApiServer } from '../../src/demo/api-server.js';
import { City } from '../../src/demo/city.js';
import { Fleet } from '../../src/demo/fleet.js';
import { IncidentPlan } from '../../src/demo/incidents.js';
import { nextDate } from '../../src/demo/local-time.js';
import { beginningOfPast, PAST_DAYS, type PastPoll, pastPolls } from '../../src/demo/past.js';
import { isWithoutPast, type PastTable, recordPast } from '../../src/demo/record-past.js';
import { readManhattan } from '../../src/demo/zones.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const city = new City({
  zones: readManhattan(join(projectRoot, 'config/lookups/zones.csv')),
  timeZone: 'America/New_York',
  seed: 1,
});
/** The change of the clocks in March lies in the past of this moment. */
const NOW = Date.parse('2026-03-25T17:03:07.500Z');
const server = new ApiServer(city, new IncidentPlan(1, NOW, null));

type Row = Record<string, string>;

/** The increase of a daily counter, as docs and views define it. */
function increase(before: number | undefined, now: number): number {
  return before === undefined ? 0 : now < before ? now : now - before;
}

describe('the demo’s past', () => {
  const polls = [...pastPolls(city, server, NOW)];

  it('is thirty days long, in the order of time, and ends before now', () => {
    const times = polls.map(({ timestamp }) => timestamp);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.equal(times[0], beginningOfPast(city, NOW) - 1_000);
    assert.ok(times.at(-1)! < NOW && times.at(-1)! > NOW - 10 * 60_000);
  });

  it('loses no ride: the increases of each local day are the model’s own', () => {
    const found = new Map<string, number>();
    const last = new Map<string, number>();
    for (const { table, timestamp, items } of polls) {
      if (table !== 'flag-dynamodb') continue;
      const { date } = city.clock.at(timestamp);
      for (const { counter_type, count } of items) {
        const type = String(counter_type);
        const key = `${date} ${type}`;
        found.set(key, (found.get(key) ?? 0) + increase(last.get(type), Number(count)));
        last.set(type, Number(count));
      }
    }
    const first = city.clock.at(beginningOfPast(city, NOW)).date;
    for (let day = 0; day < PAST_DAYS; day += 7) {
      const date = nextDate(first, day);
      for (const type of ['dispatch', 'pickup'])
        assert.equal(found.get(`${date} ${type}`), countedOn(date, type), `${date} ${type}`);
    }
  });

  it('leads up to the fleet as it is now, without a jump', () => {
    const fleet = new Fleet(city, NOW);
    for (const { counter_type, count } of fleet.items('flag-dynamodb')) {
      const last = polls
        .findLast(({ table }) => table === 'flag-dynamodb')
        ?.items.find((item) => item.counter_type === counter_type);
      const rise = Number(count) - Number(last?.count);
      assert.ok(rise >= 0 && rise < 600, `${counter_type} rose by ${rise}`);
    }
  });

  it('is recorded by the datasets’ own code', async (t) => {
    const dataDir = await temporaryFolder(t);
    assert.equal(await isWithoutPast(dataDir), true);
    const table = (name: string, more: Partial<PastTable> = {}): PastTable => ({
      name,
      source: `DynamoDB table ${name}`,
      log: false,
      changes: true,
      configured: [],
      timestampColumn: null,
      rename: {},
      ...more,
    });
    const tables = new Map<PastPoll['table'], PastTable>([
      ['flag-dynamodb', table('flag-dynamodb', { log: true })],
      ['pickup-zone-dynamodb', table('pickup-zone-dynamodb', { rename: { pickup_zone_id: 'zone_id' } })],
      ['api-server', table('api-server', { log: true, logName: 'api-server-log', changes: false })],
    ]);
    const some = polls.filter(({ timestamp }) => timestamp > NOW - 26 * 3_600_000);
    const logger = createLogger({ level: 'silent' });
    const signal = new AbortController().signal;
    const count = await recordPast(some, { dataDir, tables, clock: systemClock, logger, signal });
    const of = (name: string) => some.filter(({ table }) => table === name);
    assert.equal(count, some.length - of('taxi-destination-dynamodb').length);
    const read = async (name: string): Promise<Row[]> =>
      parse(await readFile(join(dataDir, `${name}.csv`)), { columns: true });
    const iso = (poll: PastPoll) => new Date(poll.timestamp).toISOString();
    assert.deepEqual(
      (await read('flag-dynamodb')).map(({ counter_type, count, timestamp }) => [
        timestamp,
        counter_type,
        count,
      ]),
      of('flag-dynamodb').flatMap((poll) =>
        poll.items.map((item) => [iso(poll), item.counter_type, String(item.count)]),
      ),
    );
    assert.deepEqual(
      await read('pickup-zone-dynamodb'),
      of('pickup-zone-dynamodb')
        .at(-1)
        ?.items.map((item) => ({ zone_id: String(item.pickup_zone_id), count: String(item.count) })),
    );
    const rises = (await read('pickup-zone-dynamodb-changes')).reduce(
      (sum, { change, count, previous_count: before, since }) =>
        sum +
        (change === 'delete' || since === ''
          ? 0
          : increase(before === '' ? 0 : Number(before), Number(count))),
      0,
    );
    assert.ok(rises > 40_000, `${rises} boardings in 26 hours`);
    assert.equal((await read('api-server-log')).length, of('api-server').length);
    assert.equal(await isWithoutPast(dataDir), false);
  });

  it('is never written into a folder that holds other data', async (t) => {
    const dataDir = await temporaryFolder(t);
    await writeFile(join(dataDir, 'flag-dynamodb.csv'), 'counter_type,count,timestamp\n');
    await assert.rejects(isWithoutPast(dataDir), { code: 'DEMO_FOLDER_FOREIGN' });
    assert.deepEqual(await readdir(dataDir), ['flag-dynamodb.csv']);
  });

  it('is made anew when it was interrupted while it was written', async (t) => {
    const dataDir = await temporaryFolder(t);
    await writeFile(join(dataDir, '.demo-past-unfinished'), '');
    await writeFile(join(dataDir, 'flag-dynamodb.csv'), 'half of');
    assert.equal(await isWithoutPast(dataDir), true);
    await assert.rejects(readFile(join(dataDir, 'flag-dynamodb.csv')), { code: 'ENOENT' });
  });
});

/** What the fleet counted on a local day, looked at closely: on both sides of midnight and of the reset. */
function countedOn(date: string, type: string): number {
  const fleet = new Fleet(city, city.clock.timeOf(date, 0) - 1_000);
  const at = (time: number) => {
    fleet.advanceTo(time);
    return Number(fleet.items('flag-dynamodb').find((item) => item.counter_type === type)?.count ?? 0);
  };
  const reset = city.resetOf(date);
  const midnight = at(city.clock.timeOf(date, 0) - 1_000);
  const beforeReset = at(reset - 1_000);
  return beforeReset - midnight + at(city.clock.timeOf(nextDate(date, 1), 0) - 1_000);
}
