import type { onResponseHookHandler } from 'fastify';
import type { Logger } from '../../base/logger.js';
import type { HttpMetrics } from '../metrics.js';
import type { Http } from '../options.js';
import type { RequestSeries } from '../request-histogram.js';
import type { ResponseTimes } from '../response-times.js';
import { pathOf } from './errors.js';

interface Observers {
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly responseTimes: ResponseTimes;
}

/** What becomes of every request: its time in the metrics and by dataset, and one line at debug. */
export function registerObservation(http: Http, observers: Observers): void {
  http.decorateRequest('dataset', null);
  // Each route has an observer of its own, which knows the route without asking for it at every request.
  http.addHook('onRoute', (route) => {
    route.onResponse = [route.onResponse ?? [], observer(route.url, observers)].flat();
  });
  const unknown = observer('unknown', observers);
  http.addHook('onResponse', function (request, reply, done) {
    if (request.is404) unknown.call(this, request, reply, done);
    else done();
  });
}

function observer(route: string, { metrics, logger, responseTimes }: Observers): onResponseHookHandler {
  const seriesOf = seriesByStatus(route, metrics);
  return (request, reply, done) => {
    const milliseconds = reply.elapsedTime;
    const { method } = request;
    const status = reply.raw.statusCode;
    seriesOf(method, status).observe(milliseconds / 1_000);
    if (request.dataset !== null) responseTimes.record(request.dataset, milliseconds);
    if (logger.isLevelEnabled('debug')) {
      // No query string, no headers: either may hold a secret.
      logger.debug({ method, path: pathOf(request.raw.url), status, milliseconds }, 'request');
    }
    done();
  };
}

/** The route's series in the metrics, each made at the first request that needs it. */
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
