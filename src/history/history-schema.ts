import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const Note = Type.Object({
  format: Type.Literal(1),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum(['BIGINT', 'DOUBLE', 'BOOLEAN', 'TIMESTAMPTZ', 'VARCHAR']),
      isExactInDouble: Type.Boolean(),
    }),
  ),
  /** `2026-11-24/2026-11-24.parquet`. */
  files: Type.Array(Type.String()),
});

/** The columns of a dataset's sealed days, and the files that have exactly these. */
export type HistorySchema = Omit<Static<typeof Note>, 'format'>;

export const NO_HISTORY: HistorySchema = { columns: [], files: [] };

/** Null: the text is not a note of this version. */
export function decodeHistorySchema(text: string): HistorySchema | null {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(Note, value) ? { columns: value.columns, files: value.files } : null;
  } catch {
    return null;
  }
}

export function encodeHistorySchema({ columns, files }: HistorySchema): string {
  const lines = columns.map((column) => `    ${JSON.stringify(column)}`).join(',\n');
  return `{\n  "format": 1,\n  "columns": [\n${lines}\n  ],\n  "files": ${JSON.stringify(files)}\n}\n`;
}
