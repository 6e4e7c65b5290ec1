/** The text of one cell, or null when the value is absent (written as nothing; an empty string is written `""`). */
export type Cell = string | null;

/** `number`: plain decimal text of any length. `boolean`: `true`/`false`. `time`: ISO 8601 UTC with milliseconds and `Z`. */
export type ColumnType = 'string' | 'number' | 'boolean' | 'time';

export interface Column {
  readonly name: string;
  /**
   * As declared, or that of most values of the latest poll; `string` for a column without a value so far. Cells may hold
   * other text: see `csv/fits.ts`.
   */
  readonly type: ColumnType;
  /** False until a value was seen; until then the type is provisional (a configured column exists before its first value). */
  readonly seen: boolean;
  /** The configuration declares the type, so it counts as seen. Absent: it does not. */
  readonly declared?: true;
}

/**
 * Rows encoded as CSV lines (RFC 4180, `\n`, UTF-8, no header), in the order of `columns`.
 * Row i is `body.subarray(i === 0 ? 0 : ends[i - 1], ends[i])`, its `\n` included.
 */
export interface EncodedRows {
  readonly columns: readonly Column[];
  readonly body: Buffer;
  readonly ends: Uint32Array;
}

/** A range of a file's rows by index: `from` (included) to `to` (excluded). */
export interface RowRange {
  from: number;
  to: number;
}
