import type { Column } from '../../csv/rows.js';

/** How a dataset stands in SQL. */
export interface SqlTable {
  /** What follows FROM, e.g. `raw."t12"` or a parenthesised UNION ALL. */
  readonly from: string;
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
