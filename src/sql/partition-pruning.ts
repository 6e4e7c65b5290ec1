import { DuckDBDateValue } from '@duckdb/node-api';
import { identifier } from '../windows/compile/sql-text.js';
import type { Condition } from './conditions.js';
import type { ParsedSelect, TableReference } from './select-parser.js';
import type { Session } from './session.js';
import { ALWAYS, readTogether, type SealedHistory, type SqlDataset } from './sql-dataset.js';

const DAY = 86_400_000;

/** A range of local days as days since 1970, both included; infinite if open. */
interface Days {
  readonly from: number;
  readonly to: number;
}

/** The day of a value, and whether the value is the beginning of that day. */
interface DayOf {
  readonly day: number;
  readonly isMidnight: boolean;
}

/** What a value means compared with a day, and compared with an instant; null: nothing. */
interface Meaning {
  readonly asDay: DayOf | null;
  readonly asInstant: DayOf | null;
}

/**
 * `readTogether` for the tables of a SELECT, with only those sealed days whose rows it can use. DuckDB looks up every file
 * of a table before it applies a condition, at 20 microseconds each, so a SELECT's cost would grow with the history,
 * however few days it wants. So the days are chosen before DuckDB sees the SELECT.
 *
 * `tables`: everything that the SELECT reads, by lower-case name; the session must have a time.
 * `withDays`: a WITH clause to put on the same line before `SELECT … FROM (<the SELECT>)`, in which the names of these
 * tables mean only those days. Empty if all days are needed.
 */
export async function withPrunedPartitions(
  session: Session,
  select: ParsedSelect,
  tables: ReadonlyMap<string, SqlDataset>,
): Promise<{ readonly state: string; readonly withDays: string }> {
  const { state, daysOf } = await wantedDays(session, [select], tables);
  return { state, withDays: withAll(prunedTables(session, select, tables, daysOf)) };
}

/** A WITH of these names, to put before a SELECT; empty without any. */
export function withAll(named: readonly string[]): string {
  return named.length === 0 ? '' : `WITH ${named.join(', ')} `;
}

type References = Pick<ParsedSelect, 'references'>;

/** Which days a SELECT needs of one of its tables. */
export type DaysOf = (select: References, table: string, history: SealedHistory) => (date: string) => boolean;

/**
 * What the names of a SELECT's tables mean in it, where not all days are needed, or not all are here. The session keeps the
 * files of those that are. Throws `DAY_MISSING`, and `DaysAway`.
 */
export function prunedTables(
  session: Session,
  select: References,
  tables: ReadonlyMap<string, SqlDataset>,
  daysOf: DaysOf,
): readonly string[] {
  const needed: string[] = [];
  const named = [...tables].flatMap(([name, table]) => {
    const { history } = table;
    if (!select.references.some((reference) => reference.table === name)) return [];
    if (history === null) {
      needed.push(...table.filesIn(ALWAYS));
      return [];
    }
    const isWanted = daysOf(select, name, history);
    history.require(isWanted);
    needed.push(...history.pathsOf(isWanted));
    if (history.isWhole && history.dates.every(isWanted)) return [];
    return [`${identifier(name)} AS NOT MATERIALIZED (${history.select(isWanted)})`];
  });
  session.needs(needed);
  return named;
}

/** Reads the tables together (`readTogether`), and determines which of their days these SELECTs need. */
export async function wantedDays(
  session: Session,
  selects: readonly References[],
  tables: ReadonlyMap<string, SqlDataset>,
): Promise<{ readonly state: string; readonly daysOf: DaysOf }> {
  const references = selects.flatMap((select) => select.references);
  const conditions = references.flatMap((reference) => {
    const history = tables.get(reference.table)?.history ?? null;
    return history === null ? [] : reference.conditions.filter(({ column }) => isOfTime(column, history));
  });
  // Before the snapshot, because a value that cannot be computed would end it.
  const meanings = await meaningsOf(session, [...new Set(conditions.flatMap(({ values }) => values))]);
  const state = await readTogether(session, [...tables.values()]);
  const daysOf: DaysOf = (select, name, history) => {
    const ofTable = select.references.filter(({ table }) => table === name);
    const { from, to } = hull(ofTable.map((reference) => daysNeeded(reference, history, meanings)));
    return (date) => {
      const day = Date.parse(date) / DAY;
      return from <= day && day <= to;
    };
  };
  return { state, daysOf };
}

function isOfTime(column: string, { day, time }: SealedHistory): boolean {
  return column === day || column === time;
}

async function meaningsOf(
  session: Session,
  values: readonly string[],
): Promise<ReadonlyMap<string, Meaning>> {
  if (values.length === 0) return new Map();
  const list = values.flatMap((value) =>
    ['TIMESTAMP', 'TIMESTAMPTZ'].flatMap((type) => {
      const day = `CAST(TRY_CAST(${value} AS ${type}) AS DATE)`;
      return [day, `TRY_CAST(${value} AS ${type}) = CAST(${day} AS ${type})`];
    }),
  );
  try {
    const [row = []] = await session.rows(`SELECT ${list.join(', ')}`);
    const dayAt = (index: number): DayOf | null => {
      const day = row[index];
      return day instanceof DuckDBDateValue ? { day: day.days, isMidnight: row[index + 1] === true } : null;
    };
    return new Map(
      values.map((value, index) => [value, { asDay: dayAt(4 * index), asInstant: dayAt(4 * index + 2) }]),
    );
  } catch {
    // The SELECT itself, which contains the same expression, will report the error.
    return new Map();
  }
}

/** The days whose rows this reference can use. */
function daysNeeded(
  { conditions }: TableReference,
  history: SealedHistory,
  meanings: ReadonlyMap<string, Meaning>,
): Days {
  let [from, to] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const condition of conditions) {
    if (!isOfTime(condition.column, history)) continue;
    const isOfDay = condition.column === history.day;
    const days = condition.values.map((value) => {
      const meaning = meanings.get(value);
      return (isOfDay ? meaning?.asDay : meaning?.asInstant) ?? null;
    });
    if (!days.every((day) => day !== null)) continue;
    if (condition.side === 'from') from = Math.max(from, firstDay(days, condition, isOfDay));
    else to = Math.min(to, lastDay(days, condition));
  }
  return { from, to };
}

/** `date > x` excludes the day of x; an instant after x may be on that day. */
function firstDay(days: readonly DayOf[], { isStrict }: Condition<string>, isOfDay: boolean): number {
  return Math.min(...days.map(({ day }) => (isStrict && isOfDay ? day + 1 : day)));
}

/** `< x` excludes the day that begins at x. */
function lastDay(days: readonly DayOf[], { isStrict }: Condition<string>): number {
  return Math.max(...days.map(({ day, isMidnight }) => (isStrict && isMidnight ? day - 1 : day)));
}

/** The range from the first day of any range to the last. */
function hull(ranges: readonly Days[]): Days {
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
  };
}
