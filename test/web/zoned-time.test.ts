import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLocalField, toLocalField } from '../../src/web/browser/parts/zoned-time.js';

const NEW_YORK = 'America/New_York';

test('a field shows the wall clock of the zone, and is read by it', () => {
  for (const zone of [NEW_YORK, 'Asia/Seoul', 'UTC', 'Asia/Kathmandu']) {
    for (
      let time = Date.parse('2026-01-01T00:00:07Z');
      time < Date.parse('2027-01-01');
      time += 7.3 * 3_600_000
    ) {
      const whole = Math.floor(time / 1_000) * 1_000;
      const back = fromLocalField(toLocalField(whole, zone), zone);
      // The one hour a year that the clocks show twice is read as the first.
      assert.ok(
        back === whole || (zone === NEW_YORK && whole - back === 3_600_000),
        `${zone} ${new Date(whole)}`,
      );
    }
  }
});

test('around the changes of the clocks', () => {
  assert.equal(fromLocalField('2026-03-08T03:00', NEW_YORK), Date.parse('2026-03-08T07:00:00Z'));
  assert.equal(fromLocalField('2026-11-01T01:30', NEW_YORK), Date.parse('2026-11-01T05:30:00Z'));
  assert.equal(fromLocalField('2026-11-01T02:00', NEW_YORK), Date.parse('2026-11-01T07:00:00Z'));
});
