import { dirname } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Files } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import { spendingNotWritten, spendingUnreadable } from './errors.js';
import { endOfMonth, monthOf } from './month.js';

export interface LedgerOptions {
  /** The file that keeps it (`spendingFile` in `volume/layout.ts`); its folder is created. */
  readonly path: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The file's content. */
interface Spending {
  /** `2026-11` */
  readonly month: string;
  /** US dollars by the source's published name. */
  readonly usd: Readonly<Record<string, number>>;
}

/** Milliseconds between two writes: a crash forgets the spending of that time, except for large amounts. */
const WRITE_EVERY = 60_000;
/** US dollars that are written at once. */
const LARGE = 0.01;

/** What each source has spent in this month, kept across restarts. An estimate from consumed units, not a bill. */
export class Ledger {
  readonly #options: LedgerOptions;
  #month: string;
  #usd: Map<string, number>;
  /** Between these two times the month is that of `#month`. */
  #checkedAt = Number.POSITIVE_INFINITY;
  #endsAt = Number.NEGATIVE_INFINITY;
  #writtenAt: number;
  #unwritten = 0;
  /** The write in progress; null: none. */
  #writing: Promise<void> | null = null;
  #hasFailed = false;

  private constructor(options: LedgerOptions, { month, usd }: Spending) {
    this.#options = options;
    this.#month = month;
    this.#usd = new Map(Object.entries(usd));
    this.#writtenAt = options.clock.now();
  }

  /** Reads the file. One that cannot be read is logged, and counts as empty. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    return new Ledger(options, await read(options));
  }

  /** US dollars that a source has spent this month. */
  spentBy(name: string): number {
    this.#turnMonth();
    return this.#usd.get(name) ?? 0;
  }

  /** US dollars that all sources have spent this month, including those that are gone. */
  get total(): number {
    this.#turnMonth();
    return [...this.#usd.values()].reduce((sum, usd) => sum + usd, 0);
  }

  /** Adds what a poll has cost, in US dollars. */
  add(name: string, usd: number): void {
    if (usd === 0) return;
    this.#turnMonth();
    this.#usd.set(name, (this.#usd.get(name) ?? 0) + usd);
    this.#unwritten += usd;
    const isDue = this.#options.clock.now() - this.#writtenAt >= WRITE_EVERY;
    if (isDue || this.#unwritten >= LARGE) this.#writing ??= this.#write();
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#unwritten > 0) await this.#write();
  }

  #turnMonth(): void {
    const now = this.#options.clock.now();
    // Asked for every source at every poll.
    if (now < this.#endsAt && now >= this.#checkedAt) return;
    this.#checkedAt = now;
    this.#endsAt = endOfMonth(now);
    const month = monthOf(now);
    if (month === this.#month) return;
    this.#month = month;
    this.#usd = new Map();
  }

  async #write(): Promise<void> {
    const { path, files, clock, logger } = this.#options;
    this.#writtenAt = clock.now();
    this.#unwritten = 0;
    const content = JSON.stringify({ month: this.#month, usd: Object.fromEntries(this.#usd) });
    try {
      await replaceFile(files, path, Buffer.from(content));
      this.#hasFailed = false;
    } catch (cause) {
      const problem = spendingNotWritten(path, cause);
      logger[this.#hasFailed ? 'debug' : 'error']({ code: problem.code, err: cause }, problem.line);
      this.#hasFailed = true;
    }
    this.#writing = null;
  }
}

async function read({ path, files, clock, logger }: LedgerOptions): Promise<Spending> {
  const nothing = { month: monthOf(clock.now()), usd: {} };
  try {
    await files.makeFolder(dirname(path));
    if ((await files.stat(path)) === null) return nothing;
    const spending = JSON.parse((await files.readFile(path)).toString()) as Partial<Spending>;
    const { month, usd } = spending;
    if (typeof month !== 'string' || typeof usd !== 'object' || usd === null)
      throw new TypeError('it has another format');
    const known = Object.entries(usd).filter(([, one]) => Number.isFinite(one) && one >= 0);
    return { month, usd: Object.fromEntries(known) };
  } catch (cause) {
    const problem = spendingUnreadable(path, cause);
    logger.warn({ code: problem.code, err: cause }, problem.line);
    return nothing;
  }
}
