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

/** The system's code of what was thrown (`ENOSPC`), or the empty string. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** An error as data, for the way between threads, which keeps neither class nor fields of an error. */
export type ErrorData = Pick<DynamoCsvError, 'code' | 'message' | 'remedy' | 'status'>;

export function errorToData({ code, message, remedy, status }: DynamoCsvError): ErrorData {
  return { code, message, remedy, status };
}

export function errorFromData({ code, message, remedy, status }: ErrorData): DynamoCsvError {
  return new DynamoCsvError(code, message, { ...(remedy === null ? {} : { remedy }), status });
}

/** The service's port is taken, or its address is not one of this machine. */
export function notListening(host: string, port: number, cause: unknown): DynamoCsvError {
  const code = errorCode(cause);
  const at = `${host} port ${port}`;
  if (code === 'EADDRINUSE') {
    return new DynamoCsvError('PORT_TAKEN', `Another program listens on ${at}`, {
      remedy: 'stop it, or set PORT to another port',
      cause,
    });
  }
  return new DynamoCsvError('NOT_LISTENING', `Cannot listen on ${at}: ${describeError(cause)}`, {
    remedy: 'set HOST to an address of this machine, and PORT to a port that this user may open',
    cause,
  });
}
