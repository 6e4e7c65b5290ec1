/** An error response of the service, with its one line of text. */
export class ApiFailure extends Error {
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, line: string) {
    super(line);
    this.status = status;
  }
}

export interface ApiRequest extends RequestInit {
  /** Milliseconds for one attempt; waiting for the user's token does not count. */
  readonly timeout?: number;
}

/** Asks the user for the token; `refused`: the last one was wrong. */
export type AskForToken = (refused: boolean) => Promise<string>;

const TOKEN = 'dynamo-csv-token';

/** The service's public endpoints. The token is requested once and kept for the life of the browser tab. */
export class Api {
  readonly #ask: AskForToken;
  /** One dialog for all requests that were refused meanwhile. */
  #asking: Promise<void> | null = null;

  constructor(ask: AskForToken) {
    this.#ask = ask;
  }

  get hasToken(): boolean {
    return this.#token !== null;
  }

  /** Rejects with `ApiFailure` for a status of 400 or more, and with a `TypeError` if the service does not answer. */
  async fetch(path: string, { timeout, ...options }: ApiRequest = {}): Promise<Response> {
    for (;;) {
      const sent = this.#token;
      const headers = new Headers(options.headers);
      if (sent !== null) headers.set('authorization', `Bearer ${sent}`);
      const signals = [options.signal, timeout === undefined ? null : AbortSignal.timeout(timeout)];
      const signal = AbortSignal.any(signals.filter((one) => one !== null && one !== undefined));
      const response = await fetch(path, { ...options, headers, signal });
      if (response.ok) return response;
      if (response.status !== 401) throw new ApiFailure(response.status, await failureLine(response));
      await response.body?.cancel();
      // Another request may have obtained a new token in the meantime.
      if (sent === this.#token) await this.#askOnce(sent !== null);
    }
  }

  get #token(): string | null {
    return sessionStorage.getItem(TOKEN);
  }

  #askOnce(refused: boolean): Promise<void> {
    this.#asking ??= this.#ask(refused)
      .then((token) => sessionStorage.setItem(TOKEN, token))
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }
}

async function failureLine(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  if (!(response.headers.get('content-type') ?? '').includes('json')) return text || response.statusText;
  const { message } = JSON.parse(text) as { message?: unknown };
  return typeof message === 'string' ? message : text;
}
