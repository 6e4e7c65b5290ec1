import { join } from 'node:path';
import { pino } from 'pino';
import type { Files } from '../../src/csv/files.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { type RecorderOptions, TableRecorder } from '../../src/datasets/table-recorder.js';
import {
  checkChanges,
  checkLog,
  checkSnapshot,
  type Items,
  readingOf,
  rowsOf,
  type TruePoll,
  type Truth,
} from './true-polls.js';

/** What is kept of a table. */
export type Kept = Pick<RecorderOptions, 'log' | 'changes' | 'logName'>;

export const ALL_KEPT: Readonly<Record<string, Kept>> = {
  'a snapshot': { log: false, changes: false },
  'a snapshot and changes': { log: false, changes: true },
  'a log': { log: true, changes: false },
  'a log and changes': { log: true, changes: true },
  'a snapshot, a log and changes': { log: true, changes: true, logName: 'flags-log' },
};

/** Milliseconds between two polls. */
const INTERVAL = 30_000;
const FIRST_POLL = Date.parse('2026-11-24T09:30:00.000Z');

/** One table over several lives of the service: what was really there, and what the files say. */
export class RecorderRuns {
  readonly truth: Truth = { polls: [], confirmed: new Set() };
  readonly #dataDir: string;
  readonly #kept: Kept;
  #now = FIRST_POLL;

  constructor(dataDir: string, kept: Kept) {
    this.#dataDir = dataDir;
    this.#kept = kept;
  }

  open(files: Files): Promise<TableRecorder> {
    const clock = { now: () => this.#now, sleep: async () => undefined };
    return TableRecorder.open({
      name: 'flags',
      source: 'DynamoDB table flags',
      dataDir: this.#dataDir,
      files,
      health: new PollHealth(INTERVAL, clock),
      logger: pino({ level: 'silent' }),
      configured: [],
      timestampColumn: null,
      ...this.#kept,
    });
  }

  /** One poll; true when it was confirmed. */
  async poll(recorder: TableRecorder, items: Items): Promise<boolean> {
    this.#now += INTERVAL;
    const poll: TruePoll = { at: this.#now, items };
    this.truth.polls.push(poll);
    const { problems } = await recorder.record(readingOf(items), poll.at);
    if (problems.length === 0) this.truth.confirmed.add(poll.at);
    return problems.length === 0;
  }

  /** Holds the files to the promises. */
  async check(files: Files): Promise<void> {
    const { log, changes, logName } = this.#kept;
    const content = async (name: string) => {
      const path = join(this.#dataDir, `${name}.csv`);
      return (await files.stat(path)) === null ? [] : rowsOf(await files.readFile(path));
    };
    if (log) checkLog(await content(logName ?? 'flags'), this.truth);
    if (!log || logName !== undefined) checkSnapshot(await content('flags'), this.truth);
    if (changes) checkChanges(await content('flags-changes'), this.truth);
  }
}
