import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.js';
import type { Logger } from '../../src/base/logger.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import { createStreamSource } from '../../src/sources/dynamodb/streams/source.js';
import type { ScanThreads } from '../../src/sources/dynamodb/threads.js';
import type { Source } from '../../src/sources/source.js';
import { FaultyFiles } from '../support/faulty-files.js';
import type { Kept } from '../support/recorder-runs.js';
import { SCRIPTED_TABLE } from '../support/scripted-source.js';
import { openTestRecorder } from '../support/test-recorder.js';
import { rowsOf } from '../support/true-polls.js';
import { VolatileDisk } from '../support/volatile-disk.js';

/** What a writer does to one item: a new count, or null: it is removed; `expire`: by its time to live. */
export interface Write {
  readonly id: string;
  readonly count: number | null;
  readonly isExpiry?: boolean;
  /** The stream does not say so: only a verification finds it. */
  readonly isSilent?: boolean;
}

/** A table with a stream that a test writes to. */
export interface Written {
  readonly endpoint: string;
  readonly table: string;
  write(write: Write): Promise<void>;
  close(): Promise<void>;
}

export const DIR = '/data';

/**
 * Writes with a known history: inserts, updates, deletions, bursts on one item, items that come back. `random`: from 0 to 1.
 */
export function historyOf(random: () => number, length: number, ids: number, expires: boolean): Write[] {
  const present = new Set<string>();
  const writes: Write[] = [];
  let count = 0;
  while (writes.length < length) {
    const id = `item-${Math.floor(random() * ids)}`;
    if (present.has(id) && random() < 0.25) {
      present.delete(id);
      writes.push({ id, count: null, isExpiry: expires && random() < 0.5 });
      continue;
    }
    present.add(id);
    const burst = random() < 0.15 ? 6 : 1;
    for (let index = 0; index < burst; index += 1) writes.push({ id, count: ++count });
  }
  return writes;
}

export interface Life {
  readonly written: Written;
  readonly history: readonly Write[];
  /** How many of the writes are done before the service starts for the first time, and then before each reading. */
  readonly before: number;
  readonly perReading: number;
  readonly kept: Kept;
  readonly threads: ScanThreads;
  readonly clock: Clock;
  /** Bytes per second at which the items' file is written. */
  readonly writeRate?: number;
  /** Milliseconds after which the table is scanned and compared; by default it is not. */
  readonly verify?: number;
  readonly logger?: Logger;
  /** Called before each reading, by the number of the reading from 1. */
  readonly between?: (reading: number) => void | Promise<void>;
}

/** One service after another over one history. */
export class Lives {
  readonly #life: Life;
  #disk = new VolatileDisk(DIR, `${DIR}/.dynamo-csv`);
  #done = 0;
  #readings = 0;

  constructor(life: Life) {
    this.#life = life;
  }

  get disk(): VolatileDisk {
    return this.#disk;
  }

  /** The power fails. */
  loseVolatile(survives: () => boolean): void {
    this.#disk = this.#disk.afterPowerLoss(survives);
  }

  /** Reads and records until the history is over and nothing comes any more, or the files stop. */
  async live(files: VolatileDisk | FaultyFiles = this.#disk): Promise<void> {
    const source = this.#source();
    try {
      await this.#live(source, files);
    } finally {
      await source.close();
    }
  }

  async #live(source: Source, files: VolatileDisk | FaultyFiles): Promise<void> {
    const { history, before, perReading, clock, between } = this.#life;
    if (this.#done === 0) await this.#write(before);
    const recorder = await this.#open(files);
    const { signal } = new AbortController();
    // The first verification may have begun before the last write.
    let verifications = this.#life.verify === undefined ? 0 : 2;
    for (let quiet = 0; quiet < 3 || verifications > 0; ) {
      const isStarted = recorder.position !== null;
      await between?.(++this.#readings);
      if (isStarted) await this.#write(perReading);
      const startedAt = clock.now();
      const reading = await source.read({ known: recorder.known, position: recorder.position, signal });
      await recorder.record(reading, startedAt);
      if (files instanceof FaultyFiles && files.isStopped) return;
      const isOver = this.#done === history.length;
      if (reading.kind === 'full' && reading.verifies === true && isOver) verifications -= 1;
      const isQuiet = reading.kind === 'delta' && reading.rows.ends.length === 0 && reading.nextIn !== 0;
      quiet = isQuiet && isOver ? quiet + 1 : 0;
      if (isQuiet) await clock.sleep(verifications > 0 ? 500 : 20, signal);
    }
    await recorder.close();
  }

  async #write(count: number): Promise<void> {
    const { history, written } = this.#life;
    for (const write of history.slice(this.#done, this.#done + count)) await written.write(write);
    this.#done = Math.min(history.length, this.#done + count);
  }

  #source(): Source {
    const { written, threads, clock, verify = null } = this.#life;
    const { endpoint, table } = written;
    const options = { ...SCRIPTED_TABLE, table, endpoint, threads, clock, verify };
    return createStreamSource({ ...options, stream: true, interval: 1_000 });
  }

  #open(files: VolatileDisk | FaultyFiles): Promise<TableRecorder> {
    const { kept, clock, writeRate, logger } = this.#life;
    return openTestRecorder({
      ...(logger === undefined ? {} : { logger }),
      ...(writeRate === undefined ? {} : { writeRate }),
      name: 'items',
      dataDir: DIR,
      files,
      health: new PollHealth(1_000, clock),
      exactTimes: true,
      ...kept,
    });
  }

  /** The rows of one of the files. */
  async rows(name: string): Promise<Record<string, string>[]> {
    return rowsOf(await this.#disk.readFile(`${DIR}/${name}.csv`));
  }

  /** The snapshot and the latest poll of the log are the items after the history. */
  async checkItems(): Promise<void> {
    const { history, kept } = this.#life;
    const expected = [...itemsAfter(history)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, count]) => ({ id, count: String(count) }));
    if (!kept.log || kept.logName !== undefined) assert.deepEqual(await this.rows('items'), expected);
    if (!kept.log) return;
    const log = await this.rows(kept.logName ?? 'items');
    const last = log.filter(({ timestamp }) => timestamp === log.at(-1)?.timestamp);
    assert.deepEqual(
      last.map(({ id, count }) => ({ id, count })),
      expected,
      'the log',
    );
  }

  /** Each write after the start is one change, once, in the order of its item. */
  async checkExactChanges(): Promise<void> {
    const { history, before, kept } = this.#life;
    if (!kept.changes) return;
    const rows = await this.rows('items-changes');
    const times = rows.map(({ timestamp = '' }) => timestamp);
    assert.deepEqual(times, [...times].sort(), 'in the order of time');
    const expected = expectedChanges(history, before);
    for (const [id, changes] of expected) {
      const found = rows
        .filter((row) => row.id === id)
        .map(({ change, count = '', previous_count = '' }) => `${change} ${count} ${previous_count}`);
      assert.deepEqual(found, changes, id);
    }
    assert.equal(rows.length, [...expected.values()].flat().length);
    const silent = new Set(history.filter(({ isSilent }) => isSilent).map(({ id }) => id));
    for (const { id = '', since, changed_at } of rows)
      if (since !== undefined)
        assert.equal(changed_at !== undefined, !silent.has(id), `${id}: the stream's time, or none`);
  }

  /** The changes lead from nothing to the snapshot, whatever was missed in a break. */
  async checkFoldedChanges(): Promise<void> {
    const { history } = this.#life;
    const items = new Map<string, string>();
    for (const { change, id = '', count = '', previous_count } of await this.rows('items-changes')) {
      const isRemoval = change === 'delete' || change === 'expire';
      assert.equal(items.has(id), change !== 'insert', `${change} ${id}`);
      if (change !== 'insert') assert.equal(previous_count, items.get(id));
      if (isRemoval) items.delete(id);
      else items.set(id, count);
    }
    const expected = Array.from(itemsAfter(history), ([id, count]): [string, string] => [id, String(count)]);
    assert.deepEqual(new Map([...items].sort()), new Map(expected.sort()));
  }
}

function itemsAfter(history: readonly Write[]): Map<string, number> {
  const items = new Map<string, number>();
  for (const { id, count } of history) {
    if (count === null) items.delete(id);
    else items.set(id, count);
  }
  return items;
}

/** By item: the change with the count after and before it. */
function expectedChanges(history: readonly Write[], before: number): Map<string, string[]> {
  const changes = new Map<string, string[]>();
  const present = itemsAfter(history.slice(0, before));
  const known = new Map(present);
  const tell = (id: string, change: string) => changes.set(id, [...(changes.get(id) ?? []), change]);
  for (const [id, count] of present) tell(id, `insert ${count} `);
  for (const { id, count, isExpiry = false } of history.slice(before)) {
    const was = present.get(id);
    const last = known.get(id) ?? '';
    if (count === null) {
      present.delete(id);
      tell(id, `${isExpiry ? 'expire' : 'delete'}  ${last}`);
    } else {
      present.set(id, count);
      known.set(id, count);
      tell(id, `${was === undefined ? 'insert' : 'update'} ${count} ${last}`);
    }
  }
  return changes;
}

/** A repeatable random number from 0 to 1: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
