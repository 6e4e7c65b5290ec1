import { basename } from 'node:path';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { SealedDay } from '../datasets/relation.js';
import type { DamagedFile } from './parquet-files.js';
import type { FollowedLog, SealableLog } from './sealable-log.js';
import type { HistoryStore } from './store.js';

const UNREACHABLE = 'it is in an archive, and none is configured';

/** Why a day cannot be read, by local day. */
type Reasons = Map<string, string>;

/**
 * The sealed days that cannot be read because one of their files is damaged or gone. Readers see them as missing days:
 * queries that do not need such a day work, others fail with an error that names it.
 */
export class MissingDays {
  readonly #store: HistoryStore;
  readonly #logger: Logger;
  /** The logs and changes with their missing days, by name; null: another process records it. */
  readonly #logs = new Map<string, { readonly log: SealableLog | null; readonly reasons: Reasons }>();

  constructor({ store, logger }: { readonly store: HistoryStore; readonly logger: Logger }) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Follows a log or changes. Days whose files were set aside earlier and not put back are missing. */
  async follow(log: SealableLog): Promise<void> {
    const reasons: Reasons = new Map();
    for (const { date, files } of await this.#store.damagedDays(log.name)) {
      reasons.set(date, `${files.join(', ')} is damaged and was set aside`);
      this.#logger.error({ dataset: log.name, day: date, files }, 'a sealed day is missing');
    }
    const unreachable = await this.#store.unreachableDays(log.name);
    for (const { date } of unreachable) reasons.set(date, UNREACHABLE);
    if (unreachable.length > 0) {
      const facts = { dataset: log.name, days: unreachable.length };
      this.#logger.error(facts, 'sealed days are in an archive, and the configuration has none');
    }
    this.#logs.set(log.name, { log, reasons });
  }

  /**
   * Learns which days of a dataset that another process records were set aside. Nothing is logged: that process does. Resolves
   * to whether they are others than those known so far.
   */
  async learn({ name }: FollowedLog): Promise<boolean> {
    const reasons: Reasons = new Map();
    for (const { date, files } of await this.#store.damagedDays(name))
      reasons.set(date, `${files.join(', ')} is damaged and was set aside`);
    for (const { date } of await this.#store.unreachableDays(name)) reasons.set(date, UNREACHABLE);
    const before = this.#logs.get(name)?.reasons;
    this.#logs.set(name, { log: null, reasons });
    return !isSame(reasons, before ?? new Map());
  }

  /** Forgets a log or changes. */
  forget(name: string): void {
    this.#logs.delete(name);
  }

  /** The sealed days as readers see them, missing ones included, oldest first. */
  among(name: string, days: readonly SealedDay[]): readonly SealedDay[] {
    const reasons = this.#logs.get(name)?.reasons;
    if (reasons === undefined || reasons.size === 0) return days;
    const byDate = new Map(days.map((day) => [day.date, day]));
    for (const [date, missing] of reasons)
      byDate.set(date, { date, paths: byDate.get(date)?.paths ?? [], missing });
    return [...byDate.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  /** Sets an unreadable file aside and shows its day as missing. */
  async setAside({ dataset, date, path, reason }: DamagedFile): Promise<void> {
    const file = basename(path);
    if (await this.#store.discard(path)) {
      const what = `the copy of an archived day was damaged and is fetched again: ${file} (${reason})`;
      return this.#logger.warn({ dataset, day: date, file: path }, what);
    }
    const movedTo = await this.#move(dataset, date, file);
    const what = `${file} ${movedTo === null ? 'cannot be read' : 'is damaged and was set aside'} (${reason})`;
    this.#logger.error({ dataset, day: date, file: path, movedTo }, `a sealed day is missing: ${what}`);
    const known = this.#logs.get(dataset);
    if (known === undefined) return;
    known.reasons.set(date, what);
    if (known.log !== null) known.log.sealedDays = this.among(dataset, known.log.sealedDays);
  }

  /**
   * Shows a day as missing whose rows may also be in the CSV file, since it cannot be fetched to look. Returns that it has no
   * known times. Throws any other error.
   */
  note(name: string, date: string, error: unknown): ReadonlySet<number> {
    if (!(error instanceof DynamoCsvError) || error.code !== 'DAY_NOT_FETCHED') throw error;
    this.#logger.error({ dataset: name, day: date }, describeError(error));
    this.#logs.get(name)?.reasons.set(date, `restart the service once it can be fetched: ${error.message}`);
    return new Set();
  }

  /** Forgets the missing days before a date, and returns them. */
  expire(name: string, oldest: string): readonly string[] {
    const reasons = this.#logs.get(name)?.reasons ?? new Map<string, string>();
    const expired = [...reasons.keys()].filter((date) => date < oldest);
    for (const date of expired) reasons.delete(date);
    return expired;
  }

  /** A file that cannot be moved (a read-only disk) stays; its day is still treated as missing. */
  async #move(dataset: string, date: string, file: string): Promise<string | null> {
    try {
      return await this.#store.setAside(dataset, date, file);
    } catch (error) {
      this.#logger.error({ dataset, day: date, file }, describeError(error));
      return this.#store.location;
    }
  }
}

function isSame(a: Reasons, b: Reasons): boolean {
  return a.size === b.size && [...a].every(([date, why]) => b.get(date) === why);
}
