import { distinctNames } from '../csv/columns.js';
import type { Column } from '../csv/rows.js';
import { identifier } from '../windows/compile/sql-text.js';
import { readCsv } from './read-csv.js';
import type { Session } from './session.js';
import {
  type CellSqlType,
  candidateTypes,
  isExactInDouble,
  isKept,
  isNumberSql,
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
   * The type in which SQL shows it: `type`, or a number's or boolean's for cells stored as text only because of trailing
   * zeros (`-74.17400`), which belong to the CSV and not to the number, or because some of them are not of the column's
   * type; those are NULL then.
   */
  readonly shown: CellSqlType;
  /** As `isExactInDouble`, for `shown` BIGINT of cells stored as text. */
  readonly isShownExactly: boolean;
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
  const stored = columns.map((column, index) => {
    const type = types.get(`type ${index}`) ?? 'VARCHAR';
    const shown = type === 'VARCHAR' ? (types.get(`shown ${index}`) ?? type) : type;
    const isExact = types.has(`exact ${index}`);
    return { column, name: names[index]!, type, shown, isExactInDouble: isExact, isShownExactly: isExact };
  });
  const texts = stored.filter(({ column, shown }) => shown === 'VARCHAR' && isTyped(column));
  const shown = await shownTypes(session, STAGING, texts);
  return stored.map((one) => ({ ...one, ...shown.get(one.name) }));
}

/** Whether a column has values that are not text. */
export function isTyped({ type, seen }: Column): boolean {
  return seen && (type === 'number' || type === 'boolean');
}

/**
 * How SQL shows columns whose cells are stored as text in a relation: as numbers or booleans, by those cells that are.
 * Text, as it is stored, stays a column of which every cell is a number, but one that no type of DuckDB's holds, unless
 * its type is declared: then it is DOUBLE.
 */
async function shownTypes(
  session: Session,
  from: string,
  columns: readonly NamedColumn[],
): Promise<ReadonlyMap<string, Shown>> {
  if (columns.length === 0) return new Map();
  const [answers = []] = await session.rows(`SELECT ${shownTests(columns).join(', ')} FROM ${from}`);
  return shownBy(columns, answers);
}

/** A dataset's column, and its name in DuckDB. */
export type NamedColumn = Pick<StoredColumn, 'column' | 'name'>;
export type Shown = Pick<StoredColumn, 'shown' | 'isShownExactly'>;

/** Aggregates by which `shownBy` tells how SQL shows these columns. */
export function shownTests(columns: readonly NamedColumn[]): string[] {
  return columns.flatMap(({ column, name }) => {
    const text = identifier(name);
    const fits = column.type === 'boolean' ? `${text} IN ('true', 'false')` : isNumberSql(text);
    const all = (test: string) =>
      `coalesce(bool_and(${test}) FILTER (${text} IS NOT NULL AND ${fits}), true)`;
    return [
      `coalesce(bool_or(NOT (${fits})) FILTER (${text} IS NOT NULL), false)`,
      all(isPrinted(text, 'BIGINT')),
      all(isExactInDouble(text)),
      all(isPrinted(withoutLastZeros(text), 'DOUBLE')),
    ];
  });
}

export function shownBy(columns: readonly NamedColumn[], answers: readonly unknown[]): Map<string, Shown> {
  return new Map(
    columns.map(({ column, name }, index): [string, Shown] => {
      const [hasOthers, isBigint, isExact, isDouble] = answers
        .slice(4 * index)
        .map((answer) => answer === true);
      if (column.type === 'boolean') return [name, { shown: 'BOOLEAN', isShownExactly: false }];
      if (hasOthers && isBigint) return [name, { shown: 'BIGINT', isShownExactly: isExact === true }];
      const isShown = (hasOthers && isDouble) || column.declared === true;
      return [name, { shown: isShown ? 'DOUBLE' : 'VARCHAR', isShownExactly: false }];
    }),
  );
}

/** A cell as text. Only text can be empty: `""` in any other column is the absent value of a single-column row. */
function cellSql({ type, seen }: Column, text: string): string {
  return type === 'string' && seen ? text : `nullif(${text}, '')`;
}

function cellOf(column: Column, name: string): string {
  const text = identifier(name);
  return `${cellSql(column, text)} AS ${text}`;
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
    .map((stored) => {
      const { name, type, isExactInDouble: isExact } = stored;
      const text = identifier(name);
      if (type === 'VARCHAR') return textOrFail(stored);
      const fits =
        type === 'BIGINT' && isExact
          ? `${isKept(text, type)} AND ${isExactInDouble(text)}`
          : isKept(text, type);
      return `CASE WHEN ${text} IS NULL OR (${fits}) THEN TRY_CAST(${text} AS ${type})
        ELSE CAST(error('wider than ${type}: ' || ${text}) AS ${type}) END AS ${text}`;
    })
    .join(', ');
}

/** Text that is shown as a number. The statement fails at a number that needs another type to be shown in. */
function textOrFail({ column, name, shown, isShownExactly }: StoredColumn): string {
  const text = identifier(name);
  const isFixed = shown === 'BIGINT' || (shown === 'DOUBLE' && column.declared !== true);
  if (!isFixed) return cellOf(column, name);
  const isShown = isPrinted(withoutLastZeros(text), shown);
  const fits = shown === 'BIGINT' && isShownExactly ? `${isShown} AND ${isExactInDouble(text)}` : isShown;
  return `CASE WHEN ${text} IS NULL OR NOT ${isNumberSql(text)} OR (${fits}) THEN ${cellSql(column, text)}
    ELSE CAST(error('wider than ${shown}: ' || ${text}) AS VARCHAR) END AS ${text}`;
}
