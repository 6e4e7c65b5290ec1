import underPressure from '@fastify/under-pressure';
import { overloaded } from '../../base/errors.js';
import { MAX_LOOP_DELAY, RETRY_AFTER } from '../limits.js';
import type { Http } from '../options.js';

/** Milliseconds between two looks at the event loop. */
const SAMPLE = 500;

/**
 * `@fastify/under-pressure`: when the event loop is so late that answers would come too late to be of use, requests are
 * turned away at once, so that the polls go on. Health is told all the same: a restart would make it worse.
 */
export async function registerUnderPressure(http: Http): Promise<void> {
  await http.register(underPressure, {
    maxEventLoopDelay: MAX_LOOP_DELAY,
    sampleInterval: SAMPLE,
    retryAfter: RETRY_AFTER,
    pressureHandler: (request) => {
      if (request.routeOptions.config.isOpen !== true) throw overloaded();
    },
  });
}
