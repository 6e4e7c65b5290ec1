import type { Logger } from '../../base/logger.js';
import type { Metrics } from '../../base/metrics.js';
import type { Http } from '../options.js';
import type { ResponseTimes } from '../response-times.js';
import { pathOf } from './errors.js';

/** What becomes of every request: its time in the metrics and by dataset, and one line at debug. */
export function registerObservation(
  http: Http,
  { metrics, logger, responseTimes }: { metrics: Metrics; logger: Logger; responseTimes: ResponseTimes },
): void {
  http.decorateRequest('dataset', null);
  http.addHook('onResponse', (request, reply, done) => {
    const milliseconds = reply.elapsedTime;
    const { method } = request;
    const status = reply.statusCode;
    metrics.requests.observe(
      { method, route: request.routeOptions.url ?? 'unknown', status },
      milliseconds / 1_000,
    );
    if (request.dataset !== null) responseTimes.record(request.dataset, milliseconds);
    if (logger.isLevelEnabled('debug')) {
      // No query string, no headers: either may hold a secret.
      logger.debug({ method, path: pathOf(request.raw.url), status, milliseconds }, 'request');
    }
    done();
  });
}
