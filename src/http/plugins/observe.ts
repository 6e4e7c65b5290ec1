import type { onResponseHookHandler } from 'fastify';
import type { Logger } from '../../base/logger.js';
import type { HttpMetrics } from '../metrics.js';
import { httpPlugin } from '../plugin.js';
import type { RequestSeries } from '../request-histogram.js';
import type { ResponseTimes } from '../response-times.js';
import { pathOf } from './errors.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the requested dataset; null if the request is not for one. */
    dataset: string | null;
  }
}

interface Observers {
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly responseTimes: ResponseTimes;
}

/** Records the duration of every request, in the metrics and by dataset, and logs it at level `debug`. */
export const observe = httpPlugin('observe', [], (http, observers) => {
  http.decorateRequest('dataset', null);
  // One observer per route, so that no request has to look up its route.
  http.addHook('onRoute', (route) => {
    route.onResponse = [route.onResponse ?? [], observer(route.url, observers)].flat();
  });
  const unknown = observer('unknown', observers);
  http.addHook('onResponse', function (request, reply, done) {
    if (request.is404) unknown.call(this, request, reply, done);
    else done();
  });
});

function observer(route: string, { metrics, logger, responseTimes }: Observers): onResponseHookHandler {
  const seriesOf = seriesByStatus(route, metrics);
  return (request, reply, done) => {
    const milliseconds = reply.elapsedTime;
    const { method } = request;
    const status = reply.raw.statusCode;
    seriesOf(method, status).observe(milliseconds / 1_000);
    if (request.dataset !== null) responseTimes.record(request.dataset, milliseconds);
    if (logger.isLevelEnabled('debug')) {
      // Without query string and headers: either may contain a secret.
      logger.debug({ method, path: pathOf(request.raw.url), status, milliseconds }, 'request');
    }
    done();
  };
}

/** The route's series in the metrics, each created by the first request that needs it. */
function seriesByStatus(
  route: string,
  { requests }: HttpMetrics,
): (method: string, status: number) => RequestSeries {
  const byMethod = new Map<string, Map<number, RequestSeries>>();
  return (method, status) => {
    const known = byMethod.get(method)?.get(status);
    if (known !== undefined) return known;
    const series = requests.series({ method, route, status });
    byMethod.set(method, new Map(byMethod.get(method)).set(status, series));
    return series;
  };
}
