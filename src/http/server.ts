import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { fastify } from 'fastify';
import { Answers } from './answers/answers.js';
import { KEEP_ALIVE, MAX_BODY, MAX_HEADERS, MAX_URL, REQUEST_TIMEOUT } from './limits.js';
import type { Http, HttpOptions } from './options.js';
import { registerBearerAuth } from './plugins/bearer-auth.js';
import { registerClosing } from './plugins/closing.js';
import { registerCors } from './plugins/cors.js';
import { registerErrors, routerError, sendError } from './plugins/errors.js';
import { noteMethods, registerOtherMethods } from './plugins/methods.js';
import { registerObservation } from './plugins/observe.js';
import { registerPage } from './plugins/page.js';
import { answerSocketError } from './plugins/socket-errors.js';
import { registerSwagger, registerSwaggerUi } from './plugins/swagger.js';
import { registerUnderPressure } from './plugins/under-pressure.js';
import { csvRoute } from './routes/csv.js';
import { datasetsRoute } from './routes/datasets.js';
import { healthRoutes } from './routes/health.js';
import { metricsRoute } from './routes/metrics.js';
import { openapiRoute } from './routes/openapi.js';
import { sqlRoutes } from './routes/sql.js';

export type { Http, HttpOptions } from './options.js';
export { ResponseTimes } from './response-times.js';

/** No route reads Fastify's parsed query: parameters may repeat, and their order counts. */
const NO_QUERY = Object.freeze({});

/**
 * The HTTP side of the service, ready to listen or to inject requests into. Closing it stops accepting, lets running
 * requests finish and takes 4 seconds at most.
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { config, logger } = options;
  const http: Http = fastify({
    // Requests are logged by `observe.ts`: a logger for each would cost as much as the answer.
    logger: false,
    bodyLimit: MAX_BODY,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE,
    http: { maxHeaderSize: MAX_HEADERS },
    // While it closes, requests on open connections are still answered, with `Connection: close`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_URL, querystringParser: () => NO_QUERY },
    frameworkErrors: (error, request, reply) => sendError(routerError(error, request.raw.url ?? ''), reply),
    clientErrorHandler: answerSocketError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  http.setValidatorCompiler(TypeBoxValidatorCompiler);

  registerErrors(http, logger);
  registerObservation(http, options);
  registerClosing(http);
  noteMethods(http);
  // A browser's preflight has no token, and an answer without the token still says who may read it.
  await registerCors(http, config.corsOrigin);
  await registerBearerAuth(http, config.apiToken);
  const gate = await registerUnderPressure(http);
  await registerSwagger(http, config.apiToken !== null);

  const answers = new Answers(options, gate);
  csvRoute(http, options, answers);
  sqlRoutes(http, options, answers);
  datasetsRoute(http, options);
  healthRoutes(http, options);
  metricsRoute(http, options);
  openapiRoute(http);
  registerOtherMethods(
    http,
    [...http.methodsByUrl.keys()].filter((url) => url !== '*'),
  );
  await registerSwaggerUi(http);
  registerPage(http, options.webDir);
  await http.ready();
  return http;
}
