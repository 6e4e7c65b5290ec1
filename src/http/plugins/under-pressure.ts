import underPressure from '@fastify/under-pressure';
import { overloaded } from '../errors.js';
import { MAX_LOOP_DELAY } from '../limits.js';
import type { Http } from '../options.js';

/** Milliseconds between two looks at the event loop. */
const SAMPLE = 500;

/** Throws `OVERLOADED` (503) while the service has more to do than it can. */
export type Gate = () => void;

/**
 * `@fastify/under-pressure` measures how late the event loop is; when answers would come too late to be of use, those
 * that have to be computed first are refused, so that the polls go on. What is kept is served, since that costs no more
 * than the refusal, and health is told, since a restart would make it worse. So it is no hook: it stands before the
 * work, and the other requests do not pay for it. `maxDelay`: milliseconds.
 */
export async function registerUnderPressure(http: Http, maxDelay = MAX_LOOP_DELAY): Promise<Gate> {
  await http.register(underPressure, { sampleInterval: SAMPLE });
  return () => {
    if (http.memoryUsage().eventLoopDelay > maxDelay) throw overloaded();
  };
}
