/**
 * Every error that a user can meet, in one file: a code, a sentence that says what was wrong and where,
 * and a remedy that says what to do. Other rooms call these functions and never word an error themselves.
 */

/** An error with a stable code, the sentence a user reads and, where there is one, the remedy. */
export class DynamoCsvError extends Error {
  override readonly name = 'DynamoCsvError';
  /** Stable and greppable, e.g. `DATASET_UNKNOWN`. */
  readonly code: string;
  /** What to do about it: an imperative sentence without a full stop, or null. */
  readonly remedy: string | null;
  /** The HTTP status this error answers with when a request meets it. */
  readonly status: number;

  constructor(
    code: string,
    sentence: string,
    options: { remedy?: string; status?: number; cause?: unknown } = {},
  ) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? null;
    this.status = options.status ?? 500;
  }

  /** Sentence and remedy on exactly one line, as logs, `/healthz` and HTTP error bodies show it. */
  get line(): string {
    const text = this.remedy === null ? this.message : `${this.message}; ${this.remedy}`;
    return text.replace(/\s*[\r\n]+\s*/g, ' ');
  }
}

/** What was thrown, as one line of text, whatever it was. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof DynamoCsvError) return thrown.line;
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

// ---- src/csv ----

/** A CSV that cannot be read as one. `name` is the file, `what` ends the sentence `line 7 of zones.csv …`. */
export function csvMalformed(name: string, line: number, what: string): DynamoCsvError {
  return new DynamoCsvError('CSV_MALFORMED', `Line ${line} of ${name} ${what}`, {
    remedy: 'correct that line',
  });
}
