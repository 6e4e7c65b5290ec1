import { isoTime } from '../../base/clock.js';
import type { Dataset } from '../../datasets/dataset.js';
import type { Http, HttpOptions } from '../options.js';
import { HealthSchema, ReadinessSchema } from '../schemas.js';
import { ageInSeconds, missingDays } from './datasets.js';

/** `GET /healthz` and `GET /readyz`, for whoever watches the process; open, and never turned away. */
export function healthRoutes(http: Http, { registry, clock }: HttpOptions): void {
  http.get(
    '/healthz',
    {
      config: { isOpen: true },
      schema: {
        tags: ['service'],
        summary: 'Whether the process works, and how each dataset is.',
        security: [],
        response: { 200: HealthSchema },
      },
    },
    (_request, reply) => {
      const now = clock.now();
      const datasets = registry.list().map((dataset) => healthOf(dataset, now));
      reply.header('cache-control', 'no-store');
      return { status: datasets.some(({ degraded }) => degraded) ? 'degraded' : 'ok', datasets } as const;
    },
  );
  http.get(
    '/readyz',
    {
      config: { isOpen: true },
      schema: {
        tags: ['service'],
        summary: 'Whether every polled dataset has data, or has failed to get it at least once.',
        security: [],
        response: {
          200: ReadinessSchema,
          503: { ...ReadinessSchema, description: 'Some dataset has neither been read nor failed.' },
        },
      },
    },
    (_request, reply) => {
      const polled = registry.list().map((dataset) => ({ name: dataset.name, state: readiness(dataset) }));
      const named = (state: string) =>
        polled.filter((dataset) => dataset.state === state).map(({ name }) => name);
      const waiting = named('waiting');
      reply.header('cache-control', 'no-store');
      reply.code(waiting.length === 0 ? 200 : 503);
      return { ready: waiting.length === 0, waiting, failed: named('failed'), served: named('served') };
    },
  );
}

function healthOf(dataset: Dataset, now: number) {
  const { readAt, freshness, persisted, lastError } = dataset.status();
  return {
    name: dataset.name,
    age: ageInSeconds(readAt, now),
    freshness,
    persisted,
    lastError:
      lastError === null
        ? null
        : { code: lastError.code, message: lastError.message, at: isoTime(lastError.at) },
    missingDays: [...missingDays(dataset)],
    degraded: isDegraded(dataset),
  };
}

/** Older than three intervals, or never read although it was tried; not persisted; a missing day; a broken view. */
function isDegraded(dataset: Dataset): boolean {
  const { freshness, persisted, lastError } = dataset.status();
  if (freshness === 'stale' || !persisted || missingDays(dataset).length > 0) return true;
  if (lastError === null) return false;
  // What did not change needed no writing: the next change does.
  return lastError.code === 'NOT_PERSISTED' || freshness === 'waiting' || dataset.kind === 'view';
}

/** Views and lookups are there when what they are made of is. */
function readiness(dataset: Dataset): 'waiting' | 'failed' | 'served' | 'not polled' {
  const { interval, lastError } = dataset.status();
  if (interval === null) return 'not polled';
  if (dataset.version !== null) return 'served';
  return lastError === null ? 'waiting' : 'failed';
}
