import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/durations.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { DatasetStatus } from '../datasets/dataset.js';

export interface TroubleOptions {
  readonly dataset: string;
  readonly level: 'warn' | 'error';
  /** Logged when it is over: `polls succeed again`. */
  readonly over: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A problem that can last. It is logged when it begins, when its reason changes and when it is over; repetitions are
 * logged at debug.
 */
export class Trouble {
  readonly #options: TroubleOptions;
  #current: DatasetStatus['lastError'] = null;
  #remedy: string | null = null;
  #since = 0;
  #times = 0;

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  /** The latest problem while it lasts; null: none. */
  get current(): DatasetStatus['lastError'] {
    return this.#current;
  }

  /** Consecutive occurrences. */
  get times(): number {
    return this.#times;
  }

  /** Reports a failure. `facts` are logged with it. */
  happened(problem: DynamoCsvError, facts: object = {}): void {
    const { dataset, level, clock, logger } = this.#options;
    const now = clock.now();
    // Messages may have numbers that change each time, so reasons are compared by remedy.
    const isNews = this.#current?.code !== problem.code || this.#remedy !== problem.remedy;
    if (this.#current === null) this.#since = now;
    this.#current = { code: problem.code, message: problem.line, at: now };
    this.#remedy = problem.remedy;
    this.#times += 1;
    logger[isNews ? level : 'debug']({ dataset, code: problem.code, ...facts }, problem.line);
  }

  /** Reports a success. True if it ended a problem. */
  isOver(facts: object = {}): boolean {
    if (this.#current === null) return false;
    const { dataset, over, clock, logger } = this.#options;
    const lasted = formatDuration(Math.round((clock.now() - this.#since) / 1_000) * 1_000);
    logger.info({ dataset, ...facts, failures: this.#times, lasted }, over);
    this.#current = null;
    this.#times = 0;
    return true;
  }
}
