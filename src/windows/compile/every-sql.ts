import type { Window } from '../window.js';
import { POSITION, type Rows, timeOf } from './rows-sql.js';
import type { Bindings } from './statement.js';

const DAY = 86_400_000;

/** Days since the epoch of its first Monday: weeks begin on Mondays. */
export const FIRST_MONDAY = 4;

/** SQL of the number of the step that an instant is in. Whole days begin at the session's midnight, others at UTC's. */
export function stepSql(every: number, time: string, bindings: Bindings): string {
  if (every % DAY !== 0) return `floor(epoch_ms(${time}) / ${bindings.add(String(every), 'BIGINT')})`;
  const days = every / DAY;
  const first = days % 7 === 0 ? FIRST_MONDAY : 0;
  const length = bindings.add(String(days), 'BIGINT');
  return `floor((CAST(${time} AS DATE) - DATE '1970-01-01' - ${first}) / ${length})`;
}

/** Columns by whose values `every` keeps series apart: the dataset's keys, but not its time. */
export function seriesColumns({ dataset }: Window): string[] {
  return dataset.keys.filter((key) => key !== dataset.timeColumn);
}

/** Of each step and series the last row: the one of the latest time, of equal ones the one that stood last. */
export function everySql(rows: Rows, window: Window, bindings: Bindings): Rows {
  const { every, dataset } = window;
  if (every === null || dataset.timeColumn === null) return rows;
  const time = timeOf(rows, dataset.timeColumn);
  const groups = [
    stepSql(every, time, bindings),
    ...seriesColumns(window).map((name) => rows.columns.get(name)!.expression),
  ];
  const last = `(max({'at': ${time}, 'position': ${POSITION}})).position`;
  const sql = `WITH chosen AS MATERIALIZED (${rows.sql})
    SELECT * FROM chosen WHERE ${POSITION} IN (
      SELECT ${last} FROM chosen WHERE ${time} IS NOT NULL GROUP BY ${groups.join(', ')}
    )`;
  return { sql, columns: rows.columns };
}
