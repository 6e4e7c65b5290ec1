/** An error with a stable code, a sentence for the user and, where there is one, a remedy. */
export class DynamoCsvError extends Error {
  override readonly name = 'DynamoCsvError';
  /** Stable and greppable, e.g. `DATASET_UNKNOWN`. */
  readonly code: string;
  /** What to do about it, in the imperative and without a full stop; null if there is nothing to do. */
  readonly remedy: string | null;
  /** The HTTP status of a response that reports this error. */
  readonly status: number;

  /** `status` defaults to 500. */
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

  /** Sentence and remedy on one line, as shown in the service log, `/healthz` and HTTP error bodies. */
  get line(): string {
    const text = this.remedy === null ? this.message : `${this.message}; ${this.remedy}`;
    return text.replace(/\s*[\r\n]+\s*/g, ' ');
  }
}

/** Describes any thrown value in one line of text. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof DynamoCsvError) return thrown.line;
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s*[\r\n]+\s*/g, ' ');
}

/** The system error code (`ENOSPC`) of a thrown value, or the empty string. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** An error as plain data. Passing an error between threads loses its class and its fields. */
export type ErrorData = Pick<DynamoCsvError, 'code' | 'message' | 'remedy' | 'status'>;

/** The error as data to post to another thread. */
export function errorToData({ code, message, remedy, status }: DynamoCsvError): ErrorData {
  return { code, message, remedy, status };
}

/** The error that `errorToData` took apart, without its cause. */
export function errorFromData({ code, message, remedy, status }: ErrorData): DynamoCsvError {
  return new DynamoCsvError(code, message, { ...(remedy === null ? {} : { remedy }), status });
}

/** The server cannot listen: the port is taken, or the address is not one of this machine's. */
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
    remedy: 'set HOST to an address of this machine and PORT to a port that this user may open',
    cause,
  });
}
