import type { Clock } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { LocalDays } from '../base/local-days.js';
import { within } from '../base/within.js';
import { notOneSchema, sealingFailed } from './errors.js';
import type { OneSchema } from './one-schema.js';
import type { SealableLog } from './sealable-log.js';
import type { Keeping, Sealer } from './sealer.js';

/** Milliseconds after the start, or after a source was added, so that the first polls come first. */
const QUIET_START = 10_000;
/** Milliseconds after local midnight, so that the day's last polls are recorded before it is sealed. */
const SETTLE = 60_000;
/** Milliseconds after which a changed clock, or a machine that was suspended, is noticed at the latest. */
const LONGEST_SLEEP = 3_600_000;
/** Milliseconds after a failure (usually a full disk). */
const RETRY = 10 * 60_000;
/** Milliseconds after finding rows that are needed in the file until the first poll has derived changes from them. */
const LOOK_AGAIN = 30_000;

/** Milliseconds that removing a source waits for a day being sealed. */
const GRACE = 2_500;

/** Milliseconds to wait after each outcome of a source's sealing. */
const WAITS = { done: LONGEST_SLEEP, failed: RETRY, early: LOOK_AGAIN } as const;

type Outcome = keyof typeof WAITS;

/** A source whose log and changes are sealed. */
export interface SealedSource {
  readonly recorder: { readonly log: SealableLog | null; readonly changes: SealableLog | null };
  /** Called after each sealing with its error, or null. */
  sealed(problem: DynamoCsvError | null): void;
}

export interface SealingOptions {
  readonly sealer: Pick<Sealer, 'seal'>;
  readonly oneSchema: Pick<OneSchema, 'unify'>;
  readonly days: LocalDays;
  readonly clock: Clock;
}

/** The state of one source. */
interface Entry {
  readonly keeping: Keeping;
  /** Aborts when the source is removed. */
  readonly removed: AbortController;
  /** Local date of its last sealing that succeeded. */
  doneOn: string | null;
  /** Local date on which its sealed days were last known to have one schema. */
  oneSchemaOn: string | null;
  /** The sealing in progress. */
  running: Promise<Outcome> | null;
}

/**
 * Seals the closed days of all logs and changes, soon after the start and soon after each local midnight: one dataset at
 * a time, and concurrently with polls, which wait only while a file is replaced. When all are sealed, sealed days that differ
 * in their columns are brought into one schema. Failures are retried, and reported until then. Sources can be added and
 * removed at any time.
 */
export class Sealing {
  readonly #options: SealingOptions;
  readonly #sources = new Map<SealedSource, Entry>();
  /** Ends the current sleep. */
  #wake = new AbortController();
  /** When the current sleep ends, in milliseconds since the epoch. */
  #sleepsUntil = 0;

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  /** Adds a source: it is sealed soon, and then each day. */
  add(source: SealedSource, keeping: Keeping): void {
    this.#sources.set(source, {
      keeping,
      removed: new AbortController(),
      doneOn: null,
      oneSchemaOn: null,
      running: null,
    });
    if (this.#sleepsUntil > this.#options.clock.now() + QUIET_START) this.#wake.abort();
  }

  /**
   * Removes a source and waits for its day that is being sealed. Resolves to false if that takes longer than 2.5 seconds:
   * it then continues, and the files must not be touched yet.
   */
  async remove(source: SealedSource): Promise<boolean> {
    const entry = this.#sources.get(source);
    this.#sources.delete(source);
    entry?.removed.abort(new Error('the source was removed'));
    return within(this.#options.clock, GRACE, entry?.running ?? null);
  }

  /** Runs until the signal aborts; a day being written is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, days } = this.#options;
    let wasWoken = await this.#sleep(QUIET_START, signal);
    while (!signal.aborted) {
      const now = clock.now();
      const wait = wasWoken ? QUIET_START : await this.#sealAll(days.dateOf(now - SETTLE), signal);
      wasWoken = await this.#sleep(Math.min(wait, days.endOf(now - SETTLE) + SETTLE - now), signal);
    }
  }

  /** Resolves to whether a new source ended the sleep. */
  async #sleep(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    this.#wake = new AbortController();
    this.#sleepsUntil = clock.now() + milliseconds;
    try {
      await clock.sleep(milliseconds, AbortSignal.any([signal, this.#wake.signal]));
    } catch (error) {
      if (!signal.aborted && !this.#wake.signal.aborted) throw error;
    }
    this.#sleepsUntil = 0;
    return this.#wake.signal.aborted;
  }

  /** Seals the sources not yet sealed on that local date. Resolves to the longest time to wait, in milliseconds. */
  async #sealAll(date: string, signal: AbortSignal): Promise<number> {
    let wait: number = LONGEST_SLEEP;
    for (const [source, entry] of [...this.#sources]) {
      if (entry.doneOn === date) continue;
      const outcome = await this.#run(entry, signal, (stopped) => this.#sealSource(source, entry, stopped));
      if (outcome === 'done') entry.doneOn = date;
      if (outcome !== null) wait = Math.min(wait, WAITS[outcome]);
    }
    for (const [source, entry] of [...this.#sources]) {
      if (entry.doneOn !== date || entry.oneSchemaOn === date) continue;
      const outcome = await this.#run(entry, signal, (stopped) => this.#unifySource(source, stopped));
      if (outcome === 'done') entry.oneSchemaOn = date;
      if (outcome !== null) wait = Math.min(wait, WAITS[outcome]);
    }
    return wait;
  }

  /** Null: the source was removed, or everything ends. */
  async #run(
    entry: Entry,
    signal: AbortSignal,
    work: (stopped: AbortSignal) => Promise<Outcome>,
  ): Promise<Outcome | null> {
    const stopped = AbortSignal.any([signal, entry.removed.signal]);
    if (stopped.aborted) return null;
    entry.running = work(stopped);
    const outcome = await entry.running;
    entry.running = null;
    return entry.removed.signal.aborted ? null : outcome;
  }

  #unifySource(source: SealedSource, signal: AbortSignal): Promise<Outcome> {
    const unify = (dataset: SealableLog) => this.#options.oneSchema.unify(dataset, signal);
    return eachDataset(source, signal, unify, notOneSchema);
  }

  #sealSource(source: SealedSource, { keeping }: Entry, signal: AbortSignal): Promise<Outcome> {
    const seal = (dataset: SealableLog) => this.#options.sealer.seal(dataset, keeping, signal);
    return eachDataset(source, signal, seal, sealingFailed);
  }
}

/**
 * Works on the log and the changes of a source, and tells it the first failure, which does not keep the other one from its
 * turn. `work` resolves to whether everything is done.
 */
async function eachDataset(
  source: SealedSource,
  signal: AbortSignal,
  work: (dataset: SealableLog) => Promise<boolean>,
  failed: (dataset: string, error: unknown) => DynamoCsvError,
): Promise<Outcome> {
  const { log, changes } = source.recorder;
  let problem: DynamoCsvError | null = null;
  let isAll = true;
  for (const dataset of [log, changes]) {
    if (dataset === null || signal.aborted) continue;
    try {
      const isDone = await work(dataset);
      isAll &&= isDone;
    } catch (error) {
      problem ??= failed(dataset.name, error);
    }
  }
  if (signal.aborted) return 'early';
  source.sealed(problem);
  if (problem !== null) return 'failed';
  return isAll ? 'done' : 'early';
}
