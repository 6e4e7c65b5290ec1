import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkArchive } from '../../src/archive/check.js';
import { FLEET, never, onePoint, SEALED, world } from './keeper-world.js';

/** What `--check` says about an archive. */

const pathOf = (date: string) => SEALED.replaceAll('2026-11-23', date);
const MEGABYTE = 'x'.repeat(1_000_000);

test('days that are in the archive only are priced by what fetching them costs', async (t) => {
  const { objects, clock, machine } = await world(t);
  const days = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11-23'];
  const files = { ...FLEET, ...Object.fromEntries(days.map((date) => [pathOf(date), MEGABYTE])) };
  const { keeper } = await machine(files);
  await keeper.prepare(never);
  await onePoint(keeper, clock);
  const notice = async (localDays: number | null) =>
    (await checkArchive(objects, { every: 60_000, localDays }, '2026-11-24')).notice;
  const point = /^last point at 2026-11-24T10:0\d:\d\d\.\d{3}Z/;
  const textOf = async (localDays: number | null) => {
    const text = (await notice(localDays)) ?? '';
    assert.match(text, point);
    return text.replace(point, '');
  };
  assert.equal(await textOf(null), '');
  assert.equal(await textOf(90), '; no sealed day is older than localDays yet');
  assert.equal(
    await textOf(2),
    '; 2 sealed days are older than localDays (1.9 MB): each that is fetched costs USD 0.0000004, and each GB of them ' +
      "nothing in the bucket's region, USD 0.02 in another one, USD 0.09 outside of AWS",
  );
});
