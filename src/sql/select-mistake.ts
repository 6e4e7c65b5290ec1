/** A mistake in a text that should be one SELECT. */
export class SelectMistake extends Error {
  override readonly name = 'SelectMistake';
  readonly remedy: string | null;
  /** Line and column from 1; null if unknown. */
  readonly position: Position | null;

  constructor(message: string, remedy: string | null = null, position: Position | null = null) {
    super(message);
    this.remedy = remedy;
    this.position = position;
  }
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The remedy for most mistakes. */
export const ONE_SELECT = 'write exactly one SELECT';

/** How the package's message about a syntax error begins. */
export const NOT_EXTRACTED = 'Failed to extract statements: ';

/** DuckDB's error without the quoted line and its caret: `Binder Error: column "a" not found … LINE 3: … ^`. */
export function readDuckDbError(error: unknown): {
  readonly reason: string;
  readonly position: Position | null;
} {
  const text = (error instanceof Error ? error.message : String(error)).replace(NOT_EXTRACTED, '');
  const drawing = /\n\nLINE (\d+): (.*)\n( *)\^/.exec(text);
  const reason = (drawing === null ? text : text.slice(0, drawing.index)).replace(/\s+/g, ' ').trim();
  if (drawing === null) return { reason, position: null };
  const prefix = `LINE ${drawing[1]}: `.length;
  return {
    reason,
    position: { line: Number(drawing[1]), column: Math.max(1, drawing[3]!.length - prefix + 1) },
  };
}
