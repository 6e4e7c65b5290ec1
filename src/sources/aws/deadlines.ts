import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { formatDuration } from '../../base/durations.js';
import { facts, isThrottling } from './failures.js';

/** How long AWS may take, in milliseconds. */
export interface Deadlines {
  /** Without a byte on the connection, before and within an answer. */
  readonly silence: number;
  /** For a request with its complete answer, all attempts and the waits between them included. */
  readonly request: number;
}

/**
 * AWS answers the calls of this service within a second, pages of 1 MB included. A request that hangs is reported within
 * 30 seconds.
 */
export const DEADLINES: Deadlines = { silence: 10_000, request: 25_000 };

interface Command {
  readonly middlewareStack: {
    add(
      middleware: never,
      options: { step: 'finalizeRequest'; priority: 'low'; name: string; override: true },
    ): void;
  };
}

type Send = (command: Command, options?: { readonly abortSignal?: AbortSignal }) => Promise<unknown>;
type Handle = (request: unknown, options?: unknown) => Promise<{ response: { body?: unknown } }>;

/** What this file needs of an SDK client. Each types its own commands: none fits them all. */
interface Client {
  send: unknown;
  readonly config: { readonly requestHandler: { handle: unknown } };
}

/** Makes every request of an SDK client end in time. One that does not rejects with an error named `TimeoutError`. */
export function keepDeadlines(client: Client, { silence, request }: Deadlines): void {
  breakSilence(client, silence);
  const send = (client.send as Send).bind(client);
  client.send = (async (command, options = {}) => {
    const attempts = rememberFailures(command);
    return within(request, options.abortSignal, attempts, (abortSignal) =>
      send(command, { ...options, abortSignal }),
    );
  }) satisfies Send;
}

/** Runs it with a signal that aborts when the outer one does, or when the time is over, which is an error then. */
async function within<T>(
  time: number,
  outer: AbortSignal | undefined,
  attempts: { readonly last: unknown },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => controller.abort(tooLong(time, attempts.last)), time);
  const over = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  try {
    return await Promise.race([run(controller.signal), over]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}

/** Whom throttling kept waiting is told that, and not that AWS does not answer. */
function tooLong(time: number, last: unknown): unknown {
  if (isThrottling(last)) return last;
  const latest = last === null ? '' : ` (the latest attempt: ${facts(last).reason})`;
  return timeoutError(`the answer was not complete after ${formatDuration(time)}${latest}`);
}

function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { name: 'TimeoutError' });
}

/** Keeps what the latest attempt of a command failed with. */
function rememberFailures(command: Command): { readonly last: unknown } {
  const attempts: { last: unknown } = { last: null };
  const remember = (next: (args: unknown) => Promise<unknown>) => async (args: unknown) => {
    try {
      return await next(args);
    } catch (error) {
      attempts.last = error;
      throw error;
    }
  };
  command.middlewareStack.add(remember as never, {
    step: 'finalizeRequest',
    priority: 'low',
    name: 'dynamoCsvAttempts',
    override: true,
  });
  return attempts;
}

/** The SDK's own timeouts end with the headers: the body is watched here. */
function breakSilence({ config: { requestHandler } }: Client, silence: number): void {
  const handle = (requestHandler.handle as Handle).bind(requestHandler);
  requestHandler.handle = (async (request, options) => {
    const answer = await handle(request, options);
    watchBody(answer.response.body as Readable & { readonly socket?: Socket }, silence);
    return answer;
  }) satisfies Handle;
}

function watchBody(body: Readable & { readonly socket?: Socket | null }, silence: number): void {
  const { socket } = body;
  if (socket === undefined || socket === null) return;
  const onTimeout = () => {
    body.destroy(timeoutError(`nothing was received for ${formatDuration(silence)}`));
  };
  socket.setTimeout(silence);
  socket.once('timeout', onTimeout);
  body.once('close', () => {
    socket.off('timeout', onTimeout);
    socket.setTimeout(0);
  });
}
