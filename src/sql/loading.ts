import type { Column } from '../csv/rows.js';
import { identifier } from '../windows/compile/sql-text.js';
import { distinctNames } from '../windows/compile/statement.js';
import { readCsv } from './read-csv.js';
import type { Session } from './session.js';
import {
  type CellSqlType,
  candidateTypes,
  isExactInDouble,
  isKept,
  isPrinted,
  withoutLastZeros,
} from './sql-types.js';

/** How a dataset's column is stored in DuckDB. */
export interface StoredColumn {
  readonly column: Column;
  /** Its name there: the column's own, unless the name of another column differs from it only in case. */
  readonly name: string;
  readonly type: CellSqlType;
  /** For BIGINT: each number is the same as DOUBLE, so that the column can be combined with days on which it is DOUBLE. */
  readonly isExactInDouble: boolean;
  /**
   * The type in which SQL shows it: `type`, or DOUBLE for numbers stored as text only because of trailing zeros
   * (`-74.17400`), which belong to the CSV and not to the number.
   */
  readonly shown: CellSqlType;
}

/** The session's own table for a file being read: not visible to other sessions, and not the name of any dataset. */
export const STAGING = 'temp.staging';

/**
 * Reads one of the service's CSV files into the table `STAGING`, as text, and finds for each column the narrowest type
 * that preserves every cell as written. The caller drops the table; at the latest, the session's end does.
 */
export async function stage(
  session: Session,
  path: string,
  columns: readonly Column[],
): Promise<readonly StoredColumn[]> {
  const names = distinctNames(columns.map(({ name }) => name));
  const cells = columns.map((column, index) => cellOf(column, names[index]!));
  await session.run(
    `CREATE TEMP TABLE ${STAGING} AS SELECT ${cells.join(', ')} FROM ${readCsv(path, names)}`,
  );
  const tries = columns.flatMap((column, index) => {
    const text = identifier(names[index]!);
    const kept = candidateTypes(column).map((type) => ({
      index,
      as: 'type',
      type,
      test: isKept(text, type),
    }));
    const shown = kept.some(({ type }) => type === 'DOUBLE')
      ? [{ index, as: 'shown', type: 'DOUBLE' as const, test: isPrinted(withoutLastZeros(text), 'DOUBLE') }]
      : [];
    const exact = kept.some(({ type }) => type === 'BIGINT')
      ? [{ index, as: 'exact', type: 'DOUBLE' as const, test: isExactInDouble(text) }]
      : [];
    return [...kept, ...shown, ...exact].map((attempt) => ({ ...attempt, text }));
  });
  const types = new Map<string, CellSqlType>();
  if (tries.length > 0) {
    const tests = tries.map(
      ({ text, test }) => `coalesce(bool_and(${test}) FILTER (${text} IS NOT NULL), true)`,
    );
    const [answers] = await session.rows(`SELECT ${tests.join(', ')} FROM ${STAGING}`);
    for (const [attempt, { index, as, type }] of tries.entries()) {
      const what = `${as} ${index}`;
      if (answers?.[attempt] === true && !types.has(what)) types.set(what, type);
    }
  }
  return columns.map((column, index) => {
    const type = types.get(`type ${index}`) ?? 'VARCHAR';
    const shown = type === 'VARCHAR' ? (types.get(`shown ${index}`) ?? type) : type;
    return { column, name: names[index]!, type, shown, isExactInDouble: types.has(`exact ${index}`) };
  });
}

/** A cell as text. Only text can be empty: `""` in any other column is the absent value of a single-column row. */
function cellOf({ type, seen }: Column, name: string): string {
  const text = identifier(name);
  return type === 'string' && seen ? text : `nullif(${text}, '') AS ${text}`;
}

/** The columns of a staging table, cast to their types. */
export function typed(columns: readonly StoredColumn[]): string {
  return columns
    .map(({ name, type }) => `CAST(${identifier(name)} AS ${type}) AS ${identifier(name)}`)
    .join(', ');
}

/**
 * Casts later rows to the types of the earlier ones. The statement fails at the first cell that does not fit; then
 * everything has to be loaded again with a wider type.
 */
export function typedOrFail(columns: readonly StoredColumn[]): string {
  return columns
    .map(({ column, name, type, isExactInDouble: isExact }) => {
      const text = identifier(name);
      if (type === 'VARCHAR') return cellOf(column, name);
      const fits =
        type === 'BIGINT' && isExact
          ? `${isKept(text, type)} AND ${isExactInDouble(text)}`
          : isKept(text, type);
      return `CASE WHEN ${text} IS NULL OR (${fits}) THEN TRY_CAST(${text} AS ${type})
        ELSE CAST(error('wider than ${type}: ' || ${text}) AS ${type}) END AS ${text}`;
    })
    .join(', ');
}
