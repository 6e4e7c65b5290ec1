import assert from 'node:assert/strict';
import type { WireItem } from './endpoint.js';

/*
 * A table of which every Scan is known by its number. Each item carries that number, so that the files alone show
 * whether a poll is whole, doubled or torn.
 */

const ITEMS = 12;

/** Items come and go; now and then there is a new attribute, or a value of another type. */
export function itemsOfScan(scan: number): WireItem[] {
  const items: WireItem[] = [];
  for (let id = 1; id <= ITEMS; id++) {
    if ((scan + id) % 5 === 0) continue;
    items.push({
      id: { N: String(id) },
      scan: { N: String(scan) },
      text: { S: `a, "b"\n${scan}` },
      ...(id === 3 ? { [`new${Math.floor(scan / 7)}`]: { N: '1' } } : {}),
      ...(id === 4 ? { mixed: scan % 11 === 10 ? { S: 'many' } : { N: String(scan) } } : {}),
    });
  }
  return items;
}

/** The same, with a layout that never changes. */
export function plainItemsOfScan(scan: number): WireItem[] {
  return itemsOfScan(scan).map(({ id, scan, text }) => ({ id: id!, scan: scan!, text: text! }));
}

const idsOfScan = (scan: number) => itemsOfScan(scan).map(({ id }) => String(id!.N));

export type Row = Readonly<Record<string, string>>;

/** A log has whole polls only, in order of time, none twice. Returns how many. */
export function checkLog(rows: readonly Row[]): number {
  let scan = 0;
  let time = '';
  const polls = groupsOf(rows, ({ timestamp }) => timestamp!);
  for (const [timestamp, poll] of polls) {
    assert.ok(timestamp > time, `${timestamp} comes after ${time}`);
    time = timestamp;
    const found = Number(poll[0]!.scan);
    assert.ok(found > scan, `scan ${found} comes after scan ${scan}`);
    scan = found;
    assert.ok(
      poll.every((row) => Number(row.scan) === scan && row.text === `a, "b"\n${scan}`),
      `the poll at ${timestamp} is torn`,
    );
    assert.deepEqual(
      poll.map(({ id }) => id),
      idsOfScan(scan),
      `the poll at ${timestamp}`,
    );
  }
  return polls.length;
}

/** Replaying changes gives whole polls; nothing is told twice. Returns the numbers of the Scans, in order. */
export function checkChanges(rows: readonly Row[]): number[] {
  const present = new Map<string, string>();
  const scans: number[] = [];
  for (const [timestamp, changes] of groupsOf(rows, ({ timestamp }) => timestamp!)) {
    for (const { change, id, scan, previous_scan, previous_text } of changes) {
      const before = present.get(id!);
      if (previous_scan !== '')
        assert.equal(previous_text, `a, "b"\n${previous_scan}`, `item ${id} before ${timestamp}`);
      if (change === 'insert')
        assert.equal(before, undefined, `item ${id} is inserted twice at ${timestamp}`);
      else assert.equal(before, previous_scan, `item ${id} before ${timestamp}`);
      if (change === 'delete') present.delete(id!);
      else present.set(id!, scan!);
    }
    const [scan = ''] = present.values();
    assert.ok(Number(scan) > (scans.at(-1) ?? 0), `scan ${scan} at ${timestamp} comes after ${scans.at(-1)}`);
    scans.push(Number(scan));
    assert.deepEqual(
      [...present.keys()].sort((a, b) => Number(a) - Number(b)),
      idsOfScan(Number(scan)),
      `replayed until ${timestamp}`,
    );
    for (const [id, found] of present) assert.equal(found, scan, `item ${id}, replayed until ${timestamp}`);
  }
  return scans;
}

/**
 * Like `checkChanges`, for changes of a service that was stopped, and may have lost what its first poll after that was to
 * be compared with: changes after the gap start from any whole poll. Scans before it have numbers up to `lastScan`.
 */
export function checkChangesAround(lastScan: number, rows: readonly Row[]): void {
  const end = rows.findIndex(
    ({ scan, previous_scan }) => Math.max(Number(scan), Number(previous_scan)) > lastScan,
  );
  assert.ok(end > 0, 'there are changes before the gap, and after it');
  checkChanges(rows.slice(0, end));
  const after = rows.slice(end);
  const [[, first] = ['', []]] = groupsOf(after, ({ timestamp }) => timestamp!);
  const start = Math.max(...first.map(({ previous_scan }) => Number(previous_scan)));
  const items = itemsOfScan(start).map(({ id }) => ({ id: String(id!.N), scan: String(start) }));
  const found = items.map((item): Row => ({ ...item, change: 'insert', previous_scan: '', timestamp: '' }));
  checkChanges([...found, ...after]);
}

/** A snapshot is one whole poll. Returns the number of its Scan. */
export function checkSnapshot(rows: readonly Row[]): number {
  const scan = Number(rows[0]?.scan);
  assert.deepEqual(
    rows.map(({ id, scan }) => [id, Number(scan)]),
    idsOfScan(scan).map((id) => [id, scan]),
  );
  return scan;
}

/** Rows in runs of the same value. */
function groupsOf(rows: readonly Row[], by: (row: Row) => string): [string, Row[]][] {
  const groups: [string, Row[]][] = [];
  for (const row of rows) {
    if (groups.at(-1)?.[0] === by(row)) groups.at(-1)![1].push(row);
    else groups.push([by(row), [row]]);
  }
  return groups;
}
