import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FleetSql } from './fleet-sql.js';

let fleet: FleetSql;
before(async () => {
  fleet = await FleetSql.start();
  await fleet.load({ now: 0, zone: 'America/New_York' });
});
after(() => fleet.close());

async function value(expression: string): Promise<unknown> {
  const [row] = await fleet.query(`SELECT ${expression} AS value`);
  return row!.value;
}

/** New York's midnight between the 23rd and the 24th of November is 05:00 UTC. */
const cases: { what: string; value: string; previous: string; since: string; until: string; rise: number }[] =
  [
    { what: 'it rose', value: '12', previous: '10', since: '15:00:00', until: '15:00:30', rise: 2 },
    { what: 'it was set back', value: '3', previous: '10', since: '08:00:00', until: '08:00:30', rise: 3 },
    {
      what: 'it was set back to zero',
      value: '0',
      previous: '10',
      since: '08:00:00',
      until: '08:00:30',
      rise: 0,
    },
    {
      what: 'the item was deleted',
      value: 'NULL',
      previous: '10',
      since: '08:00:00',
      until: '08:00:30',
      rise: 0,
    },
    {
      what: 'never seen before',
      value: '7',
      previous: 'NULL',
      since: '08:00:00',
      until: '08:00:30',
      rise: 7,
    },
    {
      what: 'back after it was missing',
      value: '12',
      previous: '10',
      since: '15:00:00',
      until: '15:00:30',
      rise: 2,
    },
    {
      what: 'over midnight without a gap',
      value: '12',
      previous: '10',
      since: '04:59:45',
      until: '05:00:15',
      rise: 2,
    },
    {
      what: 'an hour over midnight',
      value: '12',
      previous: '10',
      since: '04:30:00',
      until: '05:30:00',
      rise: 2,
    },
    {
      what: 'more than an hour over it',
      value: '12',
      previous: '10',
      since: '04:30:00',
      until: '05:30:00.001',
      rise: 12,
    },
    {
      what: 'hours, but not over it',
      value: '12',
      previous: '10',
      since: '05:00:00',
      until: '23:59:59',
      rise: 2,
    },
    {
      what: "over UTC's midnight only",
      value: '12',
      previous: '10',
      since: '05:00:00',
      until: '25 04:59:59',
      rise: 2,
    },
  ];

for (const { what, value: now, previous, since, until, rise } of cases) {
  test(`increase of a daily counter: ${what}`, async () => {
    const time = (clock: string) => `TIMESTAMPTZ '2026-11-${clock.includes(' ') ? '' : '24 '}${clock}Z'`;
    assert.equal(await value(`increase(${now}, ${previous}, ${time(since)}, ${time(until)})`), rise);
  });
}

test('increase of a daily counter: the first poll of all has no poll before it', async () => {
  assert.equal(await value(`increase(7, NULL, NULL, TIMESTAMPTZ '2026-11-24 15:00:00Z')`), 7);
});

test('increase keeps the digits of the numbers it is given', async () => {
  const time = `TIMESTAMPTZ '2026-11-24 15:00:00Z'`;
  assert.equal(await value(`CAST(increase(10.75, 10.5, ${time}, ${time}) AS VARCHAR)`), '0.25');
});

test('increase on the two days with 23 and 25 hours: an hour is an hour', async () => {
  const rise = (since: string, until: string) =>
    value(`increase(12, 10, TIMESTAMPTZ '${since}', TIMESTAMPTZ '${until}')`);
  // 23:30 to 00:15 in New York; the clocks change at 2.
  assert.equal(await rise('2026-03-08 04:30:00Z', '2026-03-08 05:15:00Z'), 2);
  assert.equal(await rise('2026-11-01 03:30:00Z', '2026-11-01 04:45:00Z'), 12);
});

test('local day, hour and week of an instant', async () => {
  const instant = `TIMESTAMPTZ '2027-01-04 04:59:59Z'`;
  assert.equal(await value(`CAST(local_day(${instant}) AS VARCHAR)`), '2027-01-03');
  assert.equal(await value(`local_hour(${instant})`), 23);
  assert.equal(await value(`local_week(${instant})`), '2026-W53');
  assert.equal(await value(`local_week(DATE '2027-01-04')`), '2027-W01');
  assert.equal(await value(`CAST(local_day(DATE '2027-01-04') AS VARCHAR)`), '2027-01-04');
  assert.equal(await value(`local_midnight(${instant})`), '2027-01-03T05:00:00.000Z');
  assert.equal(await value(`local_midnight(DATE '2026-07-01')`), '2026-07-01T04:00:00.000Z');
});

test('the hour that comes twice when the clocks go back begins twice', async () => {
  const start = (instant: string) => value(`local_hour_start(TIMESTAMPTZ '2026-11-01 ${instant}Z')`);
  assert.equal(await start('05:59:59.999'), '2026-11-01T05:00:00.000Z');
  assert.equal(await start('06:00:00.000'), '2026-11-01T06:00:00.000Z');
  assert.equal(await value(`local_hour(TIMESTAMPTZ '2026-11-01 05:30:00Z')`), 1);
  assert.equal(await value(`local_hour(TIMESTAMPTZ '2026-11-01 06:30:00Z')`), 1);
});
