import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { abortable } from '../../base/abortable.js';
import { formatDuration } from '../../base/durations.js';
import { facts, isThrottling } from './failures.js';

/** How long AWS may take, in milliseconds. */
export interface Deadlines {
  /** Without a byte on the connection, before and during a response. */
  readonly silence: number;
  /** For a request and its complete response, including all attempts and the waits between them. */
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

/** What this file needs from an SDK client. Each client types its own commands, so none of their types fits all. */
interface Client {
  send: unknown;
  readonly config: { readonly requestHandler: { handle: unknown } };
}

/** Limits the time of every request of an SDK client. One that exceeds it rejects with an error named `TimeoutError`. */
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

/** Runs work with a signal that aborts with the outer one, or when the time is over, which rejects. */
async function within<T>(
  time: number,
  outer: AbortSignal | undefined,
  attempts: { readonly last: unknown },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(tooLong(time, attempts.last)), time);
  try {
    return await abortable(controller, outer, run);
  } finally {
    clearTimeout(timer);
  }
}

/** Throttling that takes too long is reported as throttling. */
function tooLong(time: number, last: unknown): unknown {
  if (isThrottling(last)) return last;
  const latest = last === null ? '' : ` (the latest attempt: ${facts(last).reason})`;
  return timeoutError(`the answer was not complete after ${formatDuration(time)}${latest}`);
}

function timeoutError(message: string): Error {
  return Object.assign(new Error(message), { name: 'TimeoutError' });
}

/** Remembers the error of a command's latest attempt. */
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

/** The SDK's own timeouts only cover the headers; this one watches the body. */
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
    const { bytesRead } = socket;
    // What arrived while this process stood still is read before this runs.
    setImmediate(() => {
      if (socket.bytesRead !== bytesRead) return;
      body.destroy(timeoutError(`nothing was received for ${formatDuration(silence)}`));
    });
  };
  socket.setTimeout(silence);
  socket.on('timeout', onTimeout);
  body.once('close', () => {
    socket.off('timeout', onTimeout);
    socket.setTimeout(0);
  });
}
