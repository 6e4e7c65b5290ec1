import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkChanges, checkChangesAround, checkLog, checkSnapshot, itemsOfScan, type Row } from './truth.js';

/** The checks of the chaos run find what they are there for. */

const time = (scan: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, scan)).toISOString();

const rowsOf = (scan: number): Row[] =>
  itemsOfScan(scan).map(({ id, text }) => ({
    id: String(id!.N),
    scan: String(scan),
    text: String(text!.S),
    timestamp: time(scan),
  }));

/** Changes from one Scan to the next, the first one from nothing. */
function changesOf(scans: readonly number[]): Row[] {
  let before = new Map<string, string>();
  return scans.flatMap((scan) => {
    const now = new Map(rowsOf(scan).map(({ id, scan }) => [id!, scan!]));
    const ids = [...new Set([...before.keys(), ...now.keys()])];
    const rows = ids.map((id): Row => {
      const change = !before.has(id) ? 'insert' : now.has(id) ? 'update' : 'delete';
      const previous = before.get(id);
      return {
        change,
        id,
        scan: now.get(id) ?? '',
        previous_scan: previous ?? '',
        previous_text: previous === undefined ? '' : `a, "b"\n${previous}`,
        timestamp: time(scan),
      };
    });
    before = now;
    return rows;
  });
}

test('a log of whole polls is right; a torn, doubled or unordered one is not', () => {
  const log = [1, 2, 5].flatMap(rowsOf);
  assert.equal(checkLog(log), 3);
  assert.throws(() => checkLog(log.slice(0, -1)));
  assert.throws(() => checkLog(log.toSpliced(3, 1)));
  assert.throws(() => checkLog([...log, ...rowsOf(5)]));
  assert.throws(() => checkLog([2, 1].flatMap(rowsOf)));
  assert.throws(() => checkLog(log.map((row, index) => (index === 2 ? { ...row, text: 'torn' } : row))));
});

test('changes that replay to whole polls are right; a missing, doubled or wrong one is not', () => {
  const changes = changesOf([1, 2, 5]);
  assert.deepEqual(checkChanges(changes), [1, 2, 5]);
  for (const index of changes.keys())
    assert.throws(() => checkChanges(changes.toSpliced(index, 1)), `${index}`);
  assert.throws(() => checkChanges([...changes, ...changesOf([5])]));
  assert.throws(() => checkChanges(changes.map((row) => ({ ...row, previous_scan: '4' }))));
  assert.throws(() => checkChanges(changes.map((row) => ({ ...row, previous_text: 'damaged' }))));
});

test('changes around a gap may start from another whole poll; not from a damaged one', () => {
  const before = changesOf([1, 2]);
  const after = changesOf([11, 12, 13]).filter(({ timestamp }) => timestamp! > time(11));
  checkChangesAround(10, [...before, ...after]);
  checkChangesAround(10, changesOf([1, 2, 11, 12]));
  assert.throws(() => checkChangesAround(10, [...before.slice(1), ...after]));
  for (const index of after.keys()) {
    assert.throws(() => checkChangesAround(10, [...before, ...after.toSpliced(index, 1)]), `${index}`);
    const damaged = { ...after[index]!, previous_scan: '9' };
    assert.throws(() => checkChangesAround(10, [...before, ...after.with(index, damaged)]), `${index}`);
  }
});

test('a snapshot is one whole poll', () => {
  assert.equal(checkSnapshot(rowsOf(7)), 7);
  assert.throws(() => checkSnapshot(rowsOf(7).slice(1)));
  assert.throws(() => checkSnapshot([...rowsOf(7).slice(1), rowsOf(8)[0]!]));
});
