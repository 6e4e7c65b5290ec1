import assert from 'node:assert/strict';
import { decodeRow, rowAt, splitRows } from '../../src/csv/decode.js';
import { encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { FullReading } from '../../src/sources/source.js';

/*
 * What was really in a table, poll by poll, and what its files must say of it after any interruption: written another
 * way than the recorder, from the promises alone.
 */

/** Attribute values by name. */
export type Item = Readonly<Record<string, string>>;
export type Items = ReadonlyMap<string, Item>;

export interface TruePoll {
  readonly at: number;
  readonly items: Items;
}

/** All polls that were attempted, oldest first, and the times of those that were confirmed. */
export interface Truth {
  readonly polls: TruePoll[];
  readonly confirmed: Set<number>;
}

export const KEY = 'id';

export function itemsOf(items: Readonly<Record<string, Item>>): Items {
  return new Map(Object.entries(items));
}

/** Items as a source reads them: in key order, the key first, numbers as numbers. */
export function readingOf(items: Items): FullReading {
  const names = [...new Set([...items.values()].flatMap((item) => Object.keys(item)))].sort();
  const isNumber = (name: string) => [...items.values()].every((item) => /^\d+$/.test(item[name] ?? '0'));
  const columns = names.map(
    (name): Column => ({ name, type: isNumber(name) ? 'number' : 'string', seen: true }),
  );
  const rows = [...items]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]): Cell[] => [key, ...names.map((name) => item[name] ?? null)]);
  const cost = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };
  return {
    kind: 'full',
    position: null,
    rows: encodeRows([{ name: KEY, type: 'string', seen: true }, ...columns], rows),
    keys: [KEY],
    cost,
  };
}

/** The rows of a CSV file by column; absent cells are left out. Not one row more or less than its lines say. */
export async function rowsOf(csv: Buffer): Promise<Record<string, string>[]> {
  if (csv.length === 0) return [];
  assert.equal(csv.at(-1), 0x0a, 'the file ends with a whole line');
  const { header, body, ends } = await splitRows(csv);
  const rows = { columns: [], body, ends };
  return Array.from(ends, (_, index) => {
    const cells = decodeRow(rowAt(rows, index));
    return Object.fromEntries(
      header.flatMap((name, i) => (cells[i] === null ? [] : [[name, cells[i] as string]])),
    );
  });
}

/** A log has whole polls only, in the order of time, each confirmed one, and none twice. */
export function checkLog(rows: readonly Record<string, string>[], truth: Truth): void {
  const logged = new Map<string, Map<string, Item>>();
  let last = '';
  for (const { timestamp = '', [KEY]: key = '', ...item } of rows) {
    assert.ok(timestamp >= last, `${timestamp} stands behind ${last}`);
    last = timestamp;
    const items = logged.get(timestamp) ?? new Map<string, Item>();
    logged.set(timestamp, items);
    assert.ok(!items.has(key), `${key} stands twice at ${timestamp}`);
    items.set(key, item);
  }
  for (const { at, items } of truth.polls) {
    const found = logged.get(isoTime(at));
    if (found !== undefined || (truth.confirmed.has(at) && items.size > 0)) {
      assert.deepEqual(sorted(found ?? new Map()), sorted(items), `the log at ${isoTime(at)}`);
    }
    logged.delete(isoTime(at));
  }
  assert.deepEqual([...logged.keys()], [], 'times of no poll');
}

/**
 * A log of new items has each item once, as of the poll that found it first; again only if it was gone in between. An
 * unconfirmed poll may count or not, and if it counts, what was gone in it may have been forgotten.
 */
export function checkNewItems(rows: readonly Record<string, string>[], truth: Truth): void {
  const logged = new Map<string, Item>();
  for (const { timestamp = '', [KEY]: key = '', ...item } of rows) {
    const place = `${timestamp} ${key}`;
    assert.ok(!logged.has(place), `${key} stands twice at ${timestamp}`);
    logged.set(place, item);
  }
  for (const key of new Set(truth.polls.flatMap(({ items }) => [...items.keys()]))) {
    let mayBeKnown = new Set([false]);
    for (const { at, items } of truth.polls) {
      const place = `${isoTime(at)} ${key}`;
      const item = items.get(key);
      const row = logged.get(place);
      logged.delete(place);
      if (row !== undefined) assert.deepEqual({ ...row }, { ...item }, place);
      const next = new Set<boolean>();
      for (const isKnown of mayBeKnown) {
        const isNew = item !== undefined && !isKnown;
        if (isNew === (row !== undefined)) next.add(item !== undefined);
        if (truth.confirmed.has(at)) continue;
        if (row === undefined) next.add(isKnown);
      }
      assert.ok(next.size > 0, `${key} at ${isoTime(at)} is ${row === undefined ? 'not ' : ''}in the log`);
      mayBeKnown = next;
    }
  }
  assert.deepEqual([...logged.keys()], [], 'rows of no item');
}

/** Replaying changes from the first gives the items of each poll; nothing is told twice, nothing is missed. */
export function checkChanges(rows: readonly Record<string, string>[], truth: Truth): void {
  const present = new Map<string, Item>();
  const vanished = new Map<string, Item>();
  const pollAt = new Map(truth.polls.map((poll) => [isoTime(poll.at), poll]));
  const unchecked = truth.polls.filter(({ at }) => truth.confirmed.has(at));
  /** Confirmed polls before that time brought no change, or their changes stand in the file. */
  const checkUntil = (time: string) => {
    while (unchecked[0] !== undefined && isoTime(unchecked[0].at) < time) {
      const { at, items } = unchecked.shift()!;
      assert.deepEqual(sorted(present), sorted(items), `replayed until ${isoTime(at)}`);
    }
  };
  for (let row = 0; row < rows.length; ) {
    const { timestamp = '', since } = rows[row]!;
    checkUntil(timestamp);
    if (since !== undefined) {
      const before = pollAt.get(since);
      assert.ok(before !== undefined && since < timestamp, `${timestamp} is since ${since}`);
      assert.deepEqual(sorted(present), sorted(before.items), `what was since ${since}, before ${timestamp}`);
    } else {
      assert.equal(present.size, 0, `${timestamp} has no poll before it`);
    }
    for (; rows[row]?.timestamp === timestamp; row++) {
      assert.equal(rows[row]!.since, since);
      apply(rows[row]!, present, vanished);
    }
    const poll = pollAt.get(timestamp);
    assert.deepEqual(sorted(present), sorted(poll?.items ?? new Map()), `replayed until ${timestamp}`);
    assert.ok(
      rows[row] === undefined || rows[row]!.timestamp! > timestamp,
      'changes go on in the order of time',
    );
  }
  checkUntil('9');
}

function apply(row: Record<string, string>, present: Map<string, Item>, vanished: Map<string, Item>): void {
  const { change, [KEY]: key = '', since: _, timestamp, ...cells } = row;
  const after: Record<string, string> = {};
  const before: Record<string, string> = {};
  for (const [name, cell] of Object.entries(cells)) {
    if (name.startsWith('previous_')) before[name.slice('previous_'.length)] = cell;
    else after[name] = cell;
  }
  const what = `${change} of ${key} at ${timestamp}`;
  assert.equal(present.has(key), change !== 'insert', what);
  assert.deepEqual(before, present.get(key) ?? vanished.get(key) ?? {}, `${what}: what was before`);
  if (change === 'delete') {
    assert.deepEqual(after, {}, what);
    present.delete(key);
    vanished.set(key, before);
  } else {
    assert.notDeepEqual(change === 'insert' ? null : before, after, what);
    present.set(key, after);
  }
}

/** A snapshot is what the last confirmed poll found, or one after it that was interrupted. */
export function checkSnapshot(rows: readonly Record<string, string>[], truth: Truth): void {
  const items = new Map(rows.map(({ [KEY]: key = '', ...item }) => [key, item]));
  assert.equal(items.size, rows.length);
  const lastConfirmed = Math.max(0, ...truth.confirmed);
  const possible = truth.polls.filter(({ at }) => at >= lastConfirmed).map((poll) => sorted(poll.items));
  assert.ok(
    (possible.length === 0 && items.size === 0) || possible.some((one) => isDeepEqual(sorted(items), one)),
    `the snapshot has ${JSON.stringify(sorted(items))}`,
  );
}

function isDeepEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Entries in one order, and each item's attributes too. */
function sorted(items: Items): [string, [string, string][]][] {
  return [...items]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
