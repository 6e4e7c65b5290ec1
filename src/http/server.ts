import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import {
  CHECK_CONNECTIONS,
  KEEP_ALIVE,
  MAX_BODY,
  MAX_HEADERS,
  MAX_URL,
  REQUEST_TIMEOUT,
  STALLED_TIMEOUT,
} from './limits.js';
import type { Http, HttpOptions } from './options.js';
import { routerError, sendError } from './plugins/errors.js';
import { answerSocketError } from './plugins/socket-errors.js';
import { plugins } from './plugins.js';

export type { Http, HttpOptions } from './options.js';
export { ResponseTimes } from './response-times.js';

/** No route uses Fastify's parsed query string: parameters may repeat, and their order matters. */
const NO_QUERY = Object.freeze({});

/**
 * Creates the service's HTTP server, ready to listen or to have requests injected. `http.close()` stops accepting
 * connections, lets running requests finish and takes at most 4 seconds. Rejects if a plugin is registered before one
 * that it depends on.
 */
export async function createHttp(options: HttpOptions, registered = plugins): Promise<Http> {
  const http: Http = fastify({
    // `plugins/observe.ts` logs requests: a logger per request would cost as much as the response.
    logger: false,
    bodyLimit: MAX_BODY,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE,
    connectionTimeout: STALLED_TIMEOUT,
    http: {
      maxHeaderSize: MAX_HEADERS,
      // Its default is longer than our request timeout, and Node gives a body the longer of the two.
      headersTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECK_CONNECTIONS,
    },
    // While the server closes, requests on open connections are still answered, with `Connection: close`.
    return503OnClosing: false,
    routerOptions: {
      maxParamLength: MAX_URL,
      querystringParser: () => NO_QUERY,
      // Grafana's CSV plugin appends `/orders` to the URL of its data source, which may end with a slash.
      ignoreDuplicateSlashes: true,
    },
    frameworkErrors: (error, request, reply) => sendError(routerError(error, request.raw.url ?? ''), reply),
    clientErrorHandler: answerSocketError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  http.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Compiling a serializer for each response schema takes a tenth of the start, for a few kilobytes now and then.
  http.setSerializerCompiler(() => (data) => JSON.stringify(data));
  for (const plugin of registered) http.register(plugin, options);
  await http.ready();
  return http;
}
