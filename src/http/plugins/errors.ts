import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DynamoCsvError, describeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { badUrl, internalError, requestRefused, routeUnknown, urlTooLong } from '../errors.js';
import { MAX_BODY, MAX_URL, RETRY_AFTER } from '../limits.js';
import type { Http } from '../options.js';

/** What to send instead of a body that Fastify refuses. Only SQL has a body. */
const BODY_REFUSED: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'a body of this Content-Type is not read; send the SELECT as text/plain, or {"sql": "SELECT…"} as application/json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is no JSON; send {"sql": "SELECT…"}, or the SELECT as text/plain',
  FST_ERR_CTP_BODY_TOO_LARGE: `the body is larger than ${MAX_BODY} bytes; send a shorter SELECT`,
};

/**
 * Every error is one line of text with its status: Grafana's CSV plugin ignores the status and would take a second line
 * for data. What is our own mistake is told by an id only, and stands in the log.
 */
export function registerErrors(http: Http, logger: Logger): void {
  http.setErrorHandler((thrown, request, reply) => sendError(inWords(thrown, request, reply, logger), reply));
  http.setNotFoundHandler((request, reply) => sendError(routeUnknown(pathOf(request.raw.url)), reply));
}

/** What the router refuses before there is a route: a path that cannot be decoded, or is too long. */
export function routerError(error: FastifyError, url: string): DynamoCsvError {
  if (error.code === 'FST_ERR_BAD_URL') return badUrl();
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return urlTooLong(url.length, MAX_URL);
  return requestRefused(error.statusCode ?? 400, describeError(error));
}

/** The line of an error body. */
export function errorBody(error: DynamoCsvError): string {
  return `${error.line}\n`;
}

/** Answers with the error. */
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
  // A query that was stopped because its client has gone is no error; nobody reads this answer.
  if (!reply.raw.destroyed) {
    const { method, url } = request.raw;
    logger.error({ err: thrown, request: request.id, method, path: pathOf(url) }, 'a request failed');
  }
  return internalError(request.id);
}

/** The URL's path; its query string may hold what does not belong into a log. */
export function pathOf(url = ''): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}
