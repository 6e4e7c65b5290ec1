import { digest } from '../base/hash.js';
import { identifier } from '../windows/compile/sql-text.js';
import { keptPart, namedPart, restOf } from './day-wise.js';
import type { ParsedPart } from './select-parser.js';
import type { Session } from './session.js';
import type { SealedHistory } from './sql-dataset.js';

/** Rows of a part that are kept: some hundred for each day of ten years. With more of them, computing anew is no slower. */
const MOST_ROWS = 1_000_000;

/** The days that are in a table now. */
interface Kept {
  /** Identifies everything that their rows depend on besides the files. */
  readonly from: string;
  /** By day: the files that its rows were computed from. */
  readonly days: ReadonlyMap<string, string>;
  readonly rows: number;
}

/**
 * Sealed days of which there are unsealed rows as well: a poll was recorded while its day was being sealed. Their rows have
 * to be computed together.
 */
export async function openDays(session: Session, history: SealedHistory): Promise<ReadonlySet<string>> {
  const day = identifier(history.day!);
  const rows = await session.rows(
    `SELECT DISTINCT CAST(${day} AS VARCHAR) FROM (${history.select(() => false)})
     WHERE ${day} <= DATE '${history.dates.at(-1) ?? '0001-01-01'}'`,
  );
  return new Set(rows.map(([date]) => String(date)));
}

/** A part has more rows than are worth keeping. */
class TooManyKept extends Error {}

/**
 * The rows that one part of a view (`DayWisePart`) has of sealed days, in a table of DuckDB. A sealed day never changes, so
 * its rows are computed once, when the view first needs them.
 */
export class KeptDays {
  /** `raw."<view> 0"`: no dataset has a space in its name. */
  readonly table: string;
  readonly #part: ParsedPart;
  readonly #number: number;
  #kept: Kept | null = null;

  constructor(view: string, part: ParsedPart, number: number) {
    this.table = `raw.${identifier(`${view} ${number}`)}`;
    this.#part = part;
    this.#number = number;
  }

  /**
   * Computes the wanted days that are not kept, and removes those that are no longer there or are `open`. Returns what to name in the
   * SELECT's WITH, and a function to call once the session's work is committed.
   * Rejects with `TooManyKept`, and as DuckDB does.
   */
  async bring(
    session: Session,
    history: SealedHistory,
    open: ReadonlySet<string>,
    isWanted: (date: string) => boolean,
  ): Promise<{ readonly named: readonly string[]; readonly committed: () => void }> {
    const before = await this.#current(session, history, open);
    const isMissing = (date: string) => isWanted(date) && !open.has(date) && !before.days.has(date);
    const missing = history.dates.filter(isMissing);
    const rows = missing.length === 0 ? 0 : await this.#add(session, history, new Set(missing));
    if (before.rows + rows > MOST_ROWS) throw new TooManyKept();
    const added = missing.map((date) => [date, history.filesOf(date)!] as const);
    const kept = { ...before, days: new Map([...before.days, ...added]), rows: before.rows + rows };
    const { rest, kept: ofKept } = this.#part;
    return {
      named: [
        `${identifier(keptPart(this.#number))} AS NOT MATERIALIZED (FROM ${this.table})`,
        `${identifier(namedPart(this.#number))} AS NOT MATERIALIZED ((${rest}) UNION ALL (${ofKept}))`,
      ],
      committed: () => {
        this.#kept = kept;
      },
    };
  }

  /** The kept days whose files are still the same; the others are removed. */
  async #current(session: Session, history: SealedHistory, open: ReadonlySet<string>): Promise<Kept> {
    const from = digest([this.#part.ofDays, history.shape]);
    const kept = this.#kept;
    if (kept === null || kept.from !== from) {
      await this.#create(session, history);
      return { from, days: new Map(), rows: 0 };
    }
    const isSame = (date: string) => !open.has(date) && history.filesOf(date) === kept.days.get(date);
    const gone = [...kept.days.keys()].filter((date) => !isSame(date));
    if (gone.length === 0) return kept;
    const list = gone.map((date) => `DATE '${date}'`).join(', ');
    const where = `WHERE ${identifier(this.#part.day)} IN (${list})`;
    const [[removed] = []] = await session.rows(`DELETE FROM ${this.table} ${where}`);
    const days = new Map([...kept.days].filter(([date]) => isSame(date)));
    return { from, days, rows: kept.rows - Number(removed) };
  }

  /** Without rows, with the columns and types of the part. */
  async #create(session: Session, history: SealedHistory): Promise<void> {
    await session.run(
      `CREATE OR REPLACE TABLE ${this.table} AS ${this.#select(history.select(() => false))} LIMIT 0`,
    );
  }

  /** Returns how many rows these days have. */
  async #add(session: Session, history: SealedHistory, days: ReadonlySet<string>): Promise<number> {
    const isWanted = (date: string) => days.has(date);
    session.needs(history.pathsOf(isWanted));
    const sealed = history.sealed(isWanted);
    const [[count] = []] = await session.rows(`INSERT INTO ${this.table} ${this.#select(sealed)}`);
    return Number(count);
  }

  #select(rows: string): string {
    const { table, ofDays } = this.#part;
    return `WITH ${identifier(restOf(table))} AS NOT MATERIALIZED (${rows}) SELECT * FROM (${ofDays})`;
  }
}
