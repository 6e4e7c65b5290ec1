import fastifyUnderPressure from '@fastify/under-pressure';
import { overloaded } from '../errors.js';
import { MAX_LOOP_DELAY } from '../limits.js';
import type { Http } from '../options.js';
import { httpPlugin } from '../plugin.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Throws `OVERLOADED` (503) while the event loop is too late for new work. */
    refuseIfOverloaded(): void;
  }
}

/** Milliseconds between two samples of the event loop's delay. */
const SAMPLE = 500;

/** Adds `http.refuseIfOverloaded()`; see `registerUnderPressure`. */
export const underPressure = httpPlugin('under-pressure', [], (http) => registerUnderPressure(http));

/**
 * Adds `http.refuseIfOverloaded()`. `@fastify/under-pressure` measures the event loop's delay; beyond `maxDelay`
 * milliseconds, responses that must be computed are refused, so that polls go on. Cached responses are still sent, since
 * a refusal would cost as much; so is `/healthz`, since a restart would make it worse. Hence a function to call before
 * the work, and no hook for every request.
 */
export async function registerUnderPressure(http: Http, maxDelay = MAX_LOOP_DELAY): Promise<void> {
  await http.register(fastifyUnderPressure, { sampleInterval: SAMPLE });
  http.decorate('refuseIfOverloaded', () => {
    if (http.memoryUsage().eventLoopDelay > maxDelay) throw overloaded();
  });
}
