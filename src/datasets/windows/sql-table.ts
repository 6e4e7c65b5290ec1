import type { Column } from '../../csv/rows.js';

/** How a dataset stands in SQL. */
export interface SqlTable {
  /**
   * What follows FROM, e.g. `raw."t12"` or a parenthesised UNION ALL. `range`: only rows whose time is in [from, to)
   * are wanted (milliseconds since the epoch, null: open), so that sealed days outside are not opened; the predicate
   * itself is still to be written.
   */
  from(range: { readonly from: number | null; readonly to: number | null }): string;
  readonly columns: readonly SqlColumn[];
}

export interface SqlColumn {
  /** Name and CSV type of the column. */
  readonly column: Column;
  /** The SQL expression of it, an already quoted identifier. */
  readonly expression: string;
  /** DuckDB's type: BIGINT, DOUBLE, BOOLEAN, TIMESTAMPTZ, VARCHAR, HUGEINT, DECIMAL(18,3), DATE, … */
  readonly type: string;
}
