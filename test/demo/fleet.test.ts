import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { projectRoot } from '../../src/base/project.js';
import { City } from '../../src/demo/city.js';
import { Fleet, type TableWrites } from '../../src/demo/fleet.js';
import { FLEET_TABLE_NAMES, FLEET_TABLES, type FleetTable, type Item } from '../../src/demo/tables.js';
import { readManhattan } from '../../src/demo/zones.js';

const HOUR = 3_600_000;
const city = new City({
  zones: readManhattan(join(projectRoot, 'config/lookups/zones.csv')),
  timeZone: 'America/New_York',
  seed: 1,
});
const NOON = Date.parse('2026-02-03T17:00:00Z');

function counters(fleet: Fleet): { dispatch: number; pickup: number } {
  const counts = Object.fromEntries(
    fleet.items('flag-dynamodb').map((item) => [item.counter_type, item.count]),
  );
  return { dispatch: Number(counts.dispatch ?? 0), pickup: Number(counts.pickup ?? 0) };
}

function sum(items: readonly Item[]): number {
  return items.reduce((total, item) => total + Number(item.count), 0);
}

describe('the simulated fleet', () => {
  it('has 69 Manhattan zones', () => {
    assert.equal(city.zones.length, 69);
  });

  it('is the same at one time, however it got there', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 26 * 3_600 }),
      fc.array(fc.integer({ min: 1, max: 7_200_000 }), { maxLength: 20 }),
      (before, steps) => {
        const stepwise = new Fleet(city, NOON - before * 1_000);
        let time = NOON - before * 1_000;
        for (const step of steps) {
          time = Math.min(time + step, NOON);
          stepwise.advanceTo(time);
        }
        stepwise.advanceTo(NOON);
        const direct = new Fleet(city, NOON);
        for (const table of FLEET_TABLE_NAMES) assert.deepEqual(stepwise.items(table), direct.items(table));
      },
    );
    fc.assert(property, { numRuns: 15 });
  });

  it('tells each change: replayed, the writes are the tables', () => {
    const fleet = new Fleet(city, NOON);
    const tables = new Map(
      FLEET_TABLE_NAMES.map((table) => [
        table,
        new Map(fleet.items(table).map((item) => [item[FLEET_TABLES[table].key], item])),
      ]),
    );
    const replay = ({ table, puts, deletes }: TableWrites) => {
      for (const item of puts) tables.get(table)?.set(item[FLEET_TABLES[table].key], item);
      for (const key of deletes) tables.get(table)?.delete(key);
    };
    // Past two resets, one of which deletes.
    for (let hour = 1; hour <= 40; hour += 1) {
      fleet.advanceTo(NOON + hour * HOUR);
      for (const writes of fleet.takeWrites()) replay(writes);
      for (const table of FLEET_TABLE_NAMES) {
        const byKey = (a: Item, b: Item) => compare(table, a, b);
        assert.deepEqual(
          [...(tables.get(table)?.values() ?? [])].sort(byKey),
          fleet.items(table).sort(byKey),
        );
      }
    }
    assert.deepEqual(fleet.takeWrites(), []);
  });

  it('counts up all day and is set back once a night at about 3 o’clock, by zeroing and by deletion in turn', () => {
    const fleet = new Fleet(city, NOON);
    const resets: { local: string; items: number }[] = [];
    let last = counters(fleet);
    for (let time = NOON; time < NOON + 4 * 24 * HOUR; time += 60_000) {
      fleet.advanceTo(time);
      const now = counters(fleet);
      if (now.dispatch < last.dispatch) {
        const { hour, minute } = city.clock.at(time);
        resets.push({
          local: `${hour}:${minute < 15 ? 'early' : minute}`,
          items: fleet.items('pickup-zone-dynamodb').length,
        });
        assert.ok(now.dispatch < 300 && now.pickup < now.dispatch + 300);
      } else {
        assert.ok(now.pickup >= last.pickup);
      }
      assert.equal(sum(fleet.items('pickup-zone-dynamodb')), now.pickup);
      last = now;
    }
    assert.deepEqual(
      resets.map(({ local }) => local),
      ['3:early', '3:early', '3:early', '3:early'],
    );
    const served = city.zones.filter((zone) => zone.weight > 0).length;
    const kinds = resets.map(({ items }) => items === served);
    assert.deepEqual(kinds, [kinds[0], !kinds[0], kinds[0], !kinds[0]]);
  });

  it('keeps its day over both changes of the clocks', () => {
    for (const date of ['2026-03-08', '2026-11-01']) {
      const reset = city.resetOf(date);
      assert.equal(city.clock.at(reset).hour, 3);
      assert.equal(city.fleetDate(reset), date);
      assert.notEqual(city.fleetDate(reset - 1_000), date);
    }
    assert.equal(Math.round((city.resetOf('2026-03-08') - city.resetOf('2026-03-07')) / HOUR), 23);
    assert.equal(Math.round((city.resetOf('2026-11-01') - city.resetOf('2026-10-31')) / HOUR), 25);
  });

  it('succeeds with 60 to 85 percent of its dispatches, differently from day to day', () => {
    const rates = Array.from({ length: 10 }, (_, day) => {
      const { dispatch, pickup } = counters(new Fleet(city, NOON + day * 24 * HOUR + 10 * HOUR));
      return (100 * pickup) / dispatch;
    });
    for (const rate of rates) assert.ok(rate > 60 && rate < 85, `${rate} %`);
    assert.equal(new Set(rates.map((rate) => rate.toFixed(1))).size > 3, true);
  });

  it('leaves taxis without a zone now and then, and never for long', () => {
    const fleet = new Fleet(city, NOON);
    const unassigned = () =>
      fleet.items('taxi-destination-dynamodb').filter((item) => (item.next_zone_id ?? null) === null).length;
    const counts: number[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      fleet.advanceTo(NOON + minute * 60_000);
      counts.push(unassigned());
    }
    assert.ok(Math.max(...counts) >= 3 && Math.max(...counts) < 60, String(Math.max(...counts)));
    assert.ok(counts.filter((count) => count === 0).length > 30);
  });

  it('shows taxis unassigned on demand without a trace in the counters', () => {
    const fleet = new Fleet(city, NOON);
    const untouched = new Fleet(city, NOON);
    const empty = sum(fleet.items('zone-count-dynamodb'));
    const bare = () =>
      fleet.items('taxi-destination-dynamodb').filter((item) => (item.next_zone_id ?? null) === null).length;
    const before = bare();
    fleet.unassign(25);
    assert.equal(bare(), before + 25);
    assert.equal(sum(fleet.items('zone-count-dynamodb')), empty - 25);
    fleet.advanceTo(NOON + HOUR);
    untouched.advanceTo(NOON + HOUR);
    fleet.reassign();
    for (const table of FLEET_TABLE_NAMES) assert.deepEqual(fleet.items(table), untouched.items(table));
  });
});

function compare(table: FleetTable, a: Item, b: Item): number {
  const { key } = FLEET_TABLES[table];
  return Number(a[key]! > b[key]!) - Number(a[key]! < b[key]!);
}
