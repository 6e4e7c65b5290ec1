import type { Clock } from '../../src/base/clock.js';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** A clock that stands until a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  #waiting: { readonly count: number; resolve(): void }[] = [];

  /** `now`: ISO 8601, or milliseconds since the epoch. */
  constructor(now: string | number) {
    this.#now = new Date(now).getTime();
  }

  now(): number {
    return this.#now;
  }

  /** When the next one wakes. */
  get due(): number {
    return Math.min(...this.#sleepers.map(({ until }) => until));
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const sleeper = { until: this.#now + milliseconds, wake };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
      this.#notify();
    });
  }

  /** Moves on and wakes whom it has become time for. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }

  /** Sets another time, as an administrator does: nobody sleeps longer or shorter for it. */
  set(now: string | number): void {
    const shift = new Date(now).getTime() - this.#now;
    this.#now += shift;
    this.#sleepers = this.#sleepers.map(({ until, wake }) => ({ until: until + shift, wake }));
  }

  /** Resolves as soon as so many sleep. */
  async asleep(count = 1): Promise<void> {
    if (this.#sleepers.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Moves to the next time at which somebody wakes, and waits until as many sleep as before. Returns how far it went. */
  async next(): Promise<number> {
    const count = this.#sleepers.length;
    const step = this.due - this.#now;
    this.advance(step);
    await this.asleep(count);
    return step;
  }

  #notify(): void {
    const ready = this.#waiting.filter(({ count }) => this.#sleepers.length >= count);
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}
