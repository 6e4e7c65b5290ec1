import type { Clock } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import type { PollHealth } from '../datasets/freshness.js';
import type { Recorded } from '../recorder/poll.js';
import type { Recorder } from '../recorder/recorder.js';
import type { Reading, Source } from '../sources/source.js';
import { pollFailed, pollTimedOut } from './errors.js';
import type { PollMetrics } from './metrics.js';
import { fixedPace, type Pace } from './pace.js';
import { backoff, PollGrid, patienceWith, withDeadline } from './schedule.js';
import { PollStatistics } from './statistics.js';
import { Trouble } from './trouble.js';

export interface CollectorOptions {
  /** The published name of the source's first dataset, used in the service log and in metrics. */
  readonly name: string;
  readonly source: Source;
  readonly recorder: Recorder;
  /** Shared with the recorder. */
  readonly health: PollHealth;
  /** How often it is polled; by default at the interval that `health` has. */
  readonly pace?: Pace;
  /** Milliseconds after the start of `run` at which the first poll is due, and from which the source's fixed times are counted. */
  readonly offset: number | (() => number);
  readonly days: LocalDays;
  readonly metrics: PollMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that a poll may take, unless its source needs more; by default ten intervals, at least five minutes. */
  readonly patience?: number;
  /** Returns a number from 0 to 1; `Math.random` by default. */
  readonly random?: () => number;
}

/** Milliseconds. */
const LONGEST_SLEEP = 86_400_000;

/** Milliseconds before a failed reading is retried, of a source that wanted to be read again at once. */
const SHORTEST_PAUSE = 1_000;

/**
 * Polls one source into its datasets, one poll at a time, at the source's own fixed times. A poll that is due while the
 * previous one is still running is skipped. After a failure only `lastError` has changed, and the next poll waits
 * (`backoff`); after a success the fixed times continue. Errors here never affect another source.
 */
export class Collector {
  readonly name: string;
  readonly recorder: Recorder;
  readonly health: PollHealth;
  readonly statistics: PollStatistics;
  readonly pace: Pace;
  readonly #options: CollectorOptions;
  /** Polls wait for money; poll failed; part of the source not readable; volume not writable; days not sealed. */
  readonly #troubles: Readonly<Record<'budget' | 'poll' | 'part' | 'volume' | 'sealing', Trouble>>;
  #hasSucceeded = false;
  /** Milliseconds that the source of the last reading wanted to wait; null: it has fixed times. */
  #pause: number | null = null;
  /** Everything before that time is in the data, as far as the source knows; in milliseconds since the epoch. */
  #upTo: number | null = null;

  constructor(options: CollectorOptions) {
    const {
      name,
      recorder,
      health,
      days,
      clock,
      pace = fixedPace(health.interval ?? LONGEST_SLEEP),
    } = options;
    this.name = name;
    this.recorder = recorder;
    this.health = health;
    this.pace = pace;
    health.interval = pace.interval;
    this.statistics = new PollStatistics(pace.interval, days, clock);
    this.#options = options;
    const trouble = (level: 'warn' | 'error', over: string) =>
      new Trouble({ ...options, dataset: name, level, over });
    this.#troubles = {
      budget: trouble('warn', 'the budget allows polls again'),
      poll: trouble('warn', 'polls succeed again'),
      part: trouble('warn', 'all of the source is read again'),
      volume: trouble('error', 'the volume takes the data again'),
      sealing: trouble('warn', 'closed days are sealed again'),
    };
  }

  /** Polls until the signal aborts, then resolves: a reading in progress is dropped, a poll being recorded is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, offset } = this.#options;
    let due = clock.now() + (typeof offset === 'number' ? offset : offset());
    let grid = new PollGrid(due, this.pace.interval);
    this.#hasInterval(this.pace.interval);
    while (!signal.aborted) {
      const { changed, interval } = this.pace;
      if (interval !== this.health.interval) {
        due = this.#dueAtNewInterval(due);
        grid = new PollGrid(due, interval);
      }
      this.health.nextPollAt = due;
      await this.#sleepUntil(due, AbortSignal.any([signal, changed]));
      if (signal.aborted) break;
      if (!changed.aborted && clock.now() >= due) {
        due = (await this.#postponed(signal)) ?? (await this.#poll(due, grid, signal));
      }
    }
    this.health.nextPollAt = null;
  }

  /** Returns early when the signal aborts, and after a day at the latest: Node's timers have a limit. */
  async #sleepUntil(due: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      await clock.sleep(Math.min(Math.max(0, due - clock.now()), LONGEST_SLEEP), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** When the next poll is due, now that the interval has changed. */
  #dueAtNewInterval(due: number): number {
    const { interval } = this.pace;
    const { readAt } = this.health;
    this.#hasInterval(interval);
    return readAt === null ? due : Math.max(this.#options.clock.now(), readAt + interval);
  }

  #hasInterval(interval: number): void {
    this.health.interval = interval;
    this.statistics.interval = interval;
  }

  /** Asks whether the poll may begin. Resolves to when to ask again; null: it may. */
  async #postponed(signal: AbortSignal): Promise<number | null> {
    const postponed = await this.pace.admit(this.health.readAt, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
      return { until: 0, problem: null };
    });
    if (signal.aborted) return postponed?.until ?? 0;
    this.#tell('budget', postponed?.problem ?? null);
    return postponed?.until ?? null;
  }

  /** Reports the result of sealing this source's closed days; a problem is shown as the datasets' last error. */
  sealed(problem: DynamoCsvError | null): void {
    this.#tell('sealing', problem);
  }

  /** Runs the poll that was due at that time. Returns when the next one is due. */
  async #poll(due: number, grid: PollGrid, signal: AbortSignal): Promise<number> {
    const { clock, recorder, random = Math.random } = this.#options;
    const startedAt = clock.now();
    try {
      const reading = await this.#read(signal);
      const recorded = await recorder.record(reading, startedAt);
      this.#succeeded(reading, recorded, Math.max(0, clock.now() - startedAt));
      if (reading.nextIn !== undefined) return clock.now() + reading.nextIn;
    } catch (thrown) {
      if (signal.aborted) return due;
      this.#failed(pollFailed(thrown), Math.max(0, clock.now() - startedAt));
    }
    const endedAt = clock.now();
    this.#skip(grid.due(due, endedAt));
    const failures = this.#troubles.poll.times;
    if (failures === 0) return grid.next(startedAt, endedAt);
    // The clock may have been set back during the poll.
    const from = Math.min(startedAt, endedAt);
    const base = Math.min(this.pace.interval, this.#pause ?? this.pace.interval);
    return Math.max(endedAt, from + backoff(base, failures, random()));
  }

  /** Also rejects at the deadline: otherwise a poll that hangs would be the last one. */
  #read(signal: AbortSignal): Promise<Reading> {
    const { source, recorder, patience = patienceWith(this.pace.interval) } = this.#options;
    const { known, position } = recorder;
    const deadline = {
      patience,
      needed: () => source.neededTime?.() ?? 0,
      tooLong: (milliseconds: number) => pollTimedOut(source.title, milliseconds),
    };
    return withDeadline(deadline, signal, (signal) => source.read({ known, position, signal }));
  }

  #succeeded({ cost, problem = null, nextIn, upTo }: Reading, recorded: Recorded, took: number): void {
    const { logger, metrics } = this.#options;
    const dataset = this.name;
    const { rows, bytes, changes } = recorded;
    this.statistics.succeeded(took, cost, nextIn);
    this.#follows(nextIn, upTo);
    this.pace.succeeded(cost);
    metrics.polls.inc({ dataset, outcome: 'success' });
    metrics.pollDuration.observe({ dataset }, took / 1_000);
    metrics.items.set({ dataset }, rows);
    metrics.bytes.inc({ dataset }, cost.bytes);
    metrics.attempts.inc({ dataset }, cost.attempts);
    metrics.readUnits.inc({ dataset }, cost.readCapacityUnits);
    metrics.streamReads.inc({ dataset }, cost.streamReads ?? 0);
    metrics.cloudWatchMetrics.inc({ dataset }, cost.metricsRequested);
    const { attempts, readCapacityUnits: readUnits } = cost;
    logger.debug({ dataset, took, rows, bytes, changes, attempts, readUnits }, 'polled');
    const hadFailed = this.#troubles.poll.isOver({ rows });
    if (!this.#hasSucceeded && !hadFailed) logger.info({ dataset, rows, took }, 'first poll');
    this.#hasSucceeded = true;
    this.#tell('part', problem);
    this.#tell('volume', recorded.problems[0] ?? null);
  }

  /** A source that decides on its next reading follows a stream. */
  #follows(nextIn: number | undefined, upTo: number | undefined): void {
    this.#pause = nextIn === undefined ? null : Math.max(SHORTEST_PAUSE, nextIn);
    this.#upTo = upTo ?? null;
    const { metrics } = this.#options;
    if (upTo === undefined) metrics.streamLags.delete(this.name);
    else metrics.streamLags.set(this.name, () => this.streamLag ?? 0);
  }

  /** Seconds of which what happened in the table is not in the data yet; null: its source follows no stream. */
  get streamLag(): number | null {
    return this.#upTo === null ? null : Math.max(0, this.#options.clock.now() - this.#upTo) / 1_000;
  }

  #failed(problem: DynamoCsvError, took: number): void {
    const { metrics } = this.#options;
    const dataset = this.name;
    this.statistics.failed(took);
    this.pace.failed(problem);
    metrics.polls.inc({ dataset, outcome: 'failure' });
    metrics.pollDuration.observe({ dataset }, took / 1_000);
    // An unexplained failure is a bug in this service: the stack helps more than the message.
    const facts = problem.code === 'POLL_FAILED' ? { err: problem.cause } : {};
    this.#troubles.poll.happened(problem, facts);
    this.#show();
  }

  #skip(polls: number): void {
    if (polls === 0) return;
    const dataset = this.name;
    this.statistics.skipped += polls;
    this.#options.metrics.polls.inc({ dataset, outcome: 'skipped' }, polls);
    this.#options.logger.debug({ dataset, polls }, 'skipped polls that were due while one was running');
  }

  #tell(what: 'budget' | 'part' | 'volume' | 'sealing', problem: DynamoCsvError | null): void {
    if (problem === null) this.#troubles[what].isOver();
    else this.#troubles[what].happened(problem);
    this.#show();
  }

  /** Shows readers the most serious problem. */
  #show(): void {
    const { poll, volume, part, budget, sealing } = this.#troubles;
    this.health.lastError =
      poll.current ?? volume.current ?? part.current ?? budget.current ?? sealing.current;
  }
}
