import { join } from 'node:path';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { Files } from '../../src/volume/files.js';
import { openTestRecorder } from './test-recorder.js';
import {
  checkChanges,
  checkLog,
  checkNewItems,
  checkSnapshot,
  type Items,
  readingOf,
  rowsOf,
  type Truth,
} from './true-polls.js';

/** What is kept of a table. */
export type Kept = Pick<RecorderOptions, 'log' | 'changes' | 'logName' | 'append' | 'time'>;

/** A log of new items. No item has a time, which changes nothing about what is new. */
const NEW_ITEMS = { log: true, append: true, time: { column: 'at', unit: null } } as const;

export const ALL_KEPT: Readonly<Record<string, Kept>> = {
  'a snapshot': { log: false, changes: false },
  'a snapshot and changes': { log: false, changes: true },
  'a log': { log: true, changes: false },
  'a log and changes': { log: true, changes: true },
  'a log of new items': { ...NEW_ITEMS, changes: false },
  'a log of new items and changes': { ...NEW_ITEMS, changes: true },
  'a snapshot, a log and changes': { log: true, changes: true, logName: 'flags-log' },
};

/** Milliseconds between two polls. */
const INTERVAL = 30_000;
const FIRST_POLL = Date.parse('2026-11-24T09:30:00.000Z');

/** One table over several lives of the service: what was really there, and what the files say. */
export class RecorderRuns {
  readonly truth: Truth;
  readonly #dataDir: string;
  readonly #kept: Kept;
  #now: number;

  /** `before`: runs on the same folder that kept something else. */
  constructor(dataDir: string, kept: Kept, before: RecorderRuns | null = null) {
    this.#dataDir = dataDir;
    this.#kept = kept;
    this.#now = before === null ? FIRST_POLL : before.#now;
    this.truth = before?.truth ?? { polls: [], confirmed: new Set() };
  }

  open(files: Files): Promise<TableRecorder> {
    const clock = { now: () => this.#now, sleep: async () => undefined };
    return openTestRecorder({
      name: 'flags',
      dataDir: this.#dataDir,
      files,
      health: new PollHealth(INTERVAL, clock),
      ...this.#kept,
    });
  }

  /** One poll; true when it was confirmed. */
  async poll(recorder: TableRecorder, items: Items): Promise<boolean> {
    const at = this.tick(items);
    const { problems } = await recorder.record(readingOf(items), at);
    if (problems.length === 0) this.truth.confirmed.add(at);
    return problems.length === 0;
  }

  /** The time of the next poll, which finds these items and is not confirmed yet. */
  tick(items: Items): number {
    this.#now += INTERVAL;
    this.truth.polls.push({ at: this.#now, items });
    return this.#now;
  }

  /** Holds the files to the promises. */
  async check(files: Files): Promise<void> {
    const { log, changes, logName, append } = this.#kept;
    const content = async (name: string) => {
      const path = join(this.#dataDir, `${name}.csv`);
      return (await files.stat(path)) === null ? [] : rowsOf(await files.readFile(path));
    };
    if (log) (append ? checkNewItems : checkLog)(await content(logName ?? 'flags'), this.truth);
    if (!log || logName !== undefined) checkSnapshot(await content('flags'), this.truth);
    if (changes) checkChanges(await content('flags-changes'), this.truth);
  }
}
