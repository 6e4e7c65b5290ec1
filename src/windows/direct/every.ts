import type { LocalDays } from '../../base/local-days.js';
import { mapped, type Pausable } from '../../base/pausable.js';
import type { Column } from '../../csv/rows.js';
import { FIRST_MONDAY, seriesColumns } from '../compile/every-sql.js';
import type { Window } from '../window.js';
import type { ByteCell } from './byte-text.js';
import { Declined } from './declined.js';
import { type Row, sortByTime } from './order.js';

const DAY = 86_400_000;
const QUARTER = 900_000;
/** Between these years every time zone's calendar is the one that DuckDB counts by. */
const FIRST_KNOWN = Date.parse('1900-01-01T00:00:00Z');
const LAST_KNOWN = Date.parse('2200-01-01T00:00:00Z');

/**
 * The number of the step that an instant is in. Whole days begin at local midnight, weeks on Monday, others at UTC's.
 * Throws `Declined` for years of which only DuckDB knows the calendar, unless `any day` will do.
 */
export function stepsOf(
  every: number,
  localDays: LocalDays,
  calendar: 'known days' | 'any day' = 'known days',
): (instant: number) => number {
  if (every % DAY !== 0) return (instant) => Math.floor(instant / every);
  const days = every / DAY;
  const first = days % 7 === 0 ? FIRST_MONDAY : 0;
  const dayOf = calendar === 'any day' ? anyDay(localDays) : daysBy(localDays);
  return (instant) => Math.floor((dayOf(instant) - first) / days);
}

/**
 * The local day of an instant, in days since the epoch. A time zone is asked once per quarter of an hour: where both of
 * its ends are in one day, all of it is.
 */
function daysBy(localDays: LocalDays): (instant: number) => number {
  const known = new Map<number, number | null>();
  const ask = anyDay(localDays);
  return (instant) => {
    if (instant < FIRST_KNOWN || instant >= LAST_KNOWN) throw new Declined('a day of another calendar');
    const quarter = Math.floor(instant / QUARTER);
    let day = known.get(quarter);
    if (day === undefined) {
      const first = ask(quarter * QUARTER);
      day = first === ask((quarter + 1) * QUARTER - 1) ? first : null;
      known.set(quarter, day);
    }
    return day ?? ask(instant);
  };
}

/** The same for the bounds of a window, which may lie in years of another calendar. */
function anyDay(localDays: LocalDays): (instant: number) => number {
  return (instant) => Date.parse(`${localDays.dateOf(instant)}T00:00:00Z`) / DAY;
}

/** Of each step and series the last row, in the order of time: of equal times the row that stood last. */
export function* lastOfSteps(
  rows: readonly Row[],
  window: Window,
  localDays: LocalDays,
): Pausable<readonly Row[]> {
  const stepOf = stepsOf(window.every!, localDays);
  const seriesOf = seriesBy(window.dataset.columns, seriesColumns(window));
  const last = new Map<string, Row>();
  yield* mapped(rows, (row) => {
    if (Number.isNaN(row.time)) return;
    const key = `${stepOf(row.time)} ${seriesOf(row.cells)}`;
    const known = last.get(key);
    if (known === undefined || row.time >= known.time) last.set(key, row);
  });
  const kept = new Set(last.values());
  return yield* sortByTime(rows.filter((row) => kept.has(row)));
}

/** A name for what tells series apart, which is what rows have in the columns of these names. */
export function seriesBy(
  columns: readonly Column[],
  names: readonly string[],
): (cells: readonly ByteCell[]) => string {
  const indexes = names.map((name) => {
    const index = columns.findIndex((column) => column.name === name);
    if (index === -1) throw new Declined(`no column ${name}`);
    return index;
  });
  const isNumber = indexes.map((index) => columns[index]!.type === 'number');
  return (cells) =>
    indexes
      .map((index, key) => {
        const cell = cells[index]!;
        return cell === null ? '' : `${cell.length}:${isNumber[key] ? oneZero(cell) : cell}`;
      })
      .join();
}

/** DuckDB may hold 0 and -0 for one number, as a DOUBLE, or for two, as text. */
export function oneZero(number: string): string {
  if (number === '-0') throw new Declined('-0');
  return number;
}
