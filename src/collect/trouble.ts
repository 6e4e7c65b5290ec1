import type { Clock } from '../base/clock.js';
import { formatDuration } from '../base/durations.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { DatasetStatus } from '../datasets/dataset.js';

export interface TroubleOptions {
  readonly dataset: string;
  readonly level: 'warn' | 'error';
  /** What the log says when it is over: `polls succeed again`. */
  readonly over: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One thing that can go wrong again and again. The log hears of it when it begins, when its reason becomes another one
 * and when it is over; what is repeated only at debug.
 */
export class Trouble {
  readonly #options: TroubleOptions;
  #current: DatasetStatus['lastError'] = null;
  #since = 0;
  #times = 0;

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  /** The latest problem while it lasts; null: all is well. */
  get current(): DatasetStatus['lastError'] {
    return this.#current;
  }

  /** How often in a row. */
  get times(): number {
    return this.#times;
  }

  /** It went wrong. `facts` go into the log beside it. */
  happened(problem: DynamoCsvError, facts: object = {}): void {
    const { dataset, level, clock, logger } = this.#options;
    const now = clock.now();
    const isNews = this.#current?.code !== problem.code;
    if (this.#current === null) this.#since = now;
    this.#current = { code: problem.code, message: problem.line, at: now };
    this.#times += 1;
    logger[isNews ? level : 'debug']({ dataset, code: problem.code, ...facts }, problem.line);
  }

  /** It went well. True when it had gone wrong before. */
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
