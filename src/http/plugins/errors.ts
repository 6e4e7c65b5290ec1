import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DynamoCsvError, describeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { badUrl, internalError, requestRefused, routeUnknown, urlTooLong } from '../errors.js';
import { MAX_BODY, MAX_URL, RETRY_AFTER } from '../limits.js';
import type { Http } from '../options.js';
import { httpPlugin } from '../plugin.js';

/** What to say when Fastify refuses a body, and what to send instead. Only SQL requests have a body. */
const BODY_REFUSED: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'a body of this Content-Type is not accepted; send the SELECT as text/plain, or {"sql": "SELECT…"} as application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not JSON; send {"sql": "SELECT…"}, or the SELECT as text/plain',
  FST_ERR_CTP_BODY_TOO_LARGE: `the body is larger than ${MAX_BODY} bytes; send a shorter SELECT`,
};

/** Every error is one line of text with its status; see `registerErrors`. */
export const errors = httpPlugin('errors', [], (http, { logger }) => registerErrors(http, logger));

/**
 * Answers errors with one line of text: Grafana's CSV plugin ignores the status and would read a second line as data.
 * A bug of ours is answered with an id only; the details are in the service log.
 */
export function registerErrors(http: Http, logger: Logger): void {
  http.setErrorHandler((thrown, request, reply) => sendError(inWords(thrown, request, reply, logger), reply));
  http.setNotFoundHandler((request, reply) => sendError(routeUnknown(pathOf(request.raw.url)), reply));
}

/** The error for a request that the router refuses: a path that cannot be decoded or is too long. */
export function routerError(error: FastifyError, url: string): DynamoCsvError {
  if (error.code === 'FST_ERR_BAD_URL') return badUrl();
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return urlTooLong(url.length, MAX_URL);
  return requestRefused(error.statusCode ?? 400, describeError(error));
}

/** The line of an error body. */
export function errorBody(error: DynamoCsvError): string {
  return `${error.line}\n`;
}

/** Sends the error as a response. */
export function sendError(error: DynamoCsvError, reply: FastifyReply): void {
  reply
    .code(error.status)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff');
  if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="dynamo-csv"');
  if (error.status === 503) reply.header('retry-after', RETRY_AFTER);
  reply.send(errorBody(error));
}

function inWords(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): DynamoCsvError {
  if (thrown instanceof DynamoCsvError) return thrown;
  const { statusCode, code = '' } = thrown as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return requestRefused(statusCode, BODY_REFUSED[code] ?? describeError(thrown));
  }
  // A query that was stopped because its client left is not an error, and nobody reads this response.
  if (!reply.raw.destroyed) {
    const { method, url } = request.raw;
    logger.error({ err: thrown, request: request.id, method, path: pathOf(url) }, 'request failed');
  }
  return internalError(request.id);
}

/** The path of a URL. The query string may contain what does not belong in a log. */
export function pathOf(url = ''): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}
