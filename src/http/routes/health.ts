import { isoTime } from '../../base/clock.js';
import { type Dataset, THIS_SERVICE } from '../../datasets/dataset.js';
import { type LostDay, missingDays } from '../../datasets/missing-days.js';
import type { ArchiveStatus } from '../options.js';
import { routePlugin } from '../plugin.js';
import { HealthSchema, ReadinessSchema } from '../schemas.js';
import { ageInSeconds } from './datasets.js';
import { roleJson } from './role.js';

/** An archive is degraded when it fails and is that many times as old as it may be. */
const LATE = 3;

/** `GET /healthz` and `GET /readyz`, for supervisors: without the token, and even under overload. */
export const health = routePlugin('health', [], (http, { registry, clock, archive, lostDays, role }) => {
  http.get(
    '/healthz',
    {
      config: { isOpen: true },
      schema: {
        tags: ['service'],
        summary: 'Whether the process works, and the state of each dataset.',
        security: [],
        response: { 200: HealthSchema },
      },
    },
    (_request, reply) => {
      const now = clock.now();
      const lost = lostDays?.() ?? [];
      const datasets = registry.list().map((dataset) => healthOf(dataset, lost, now));
      reply.header('cache-control', 'no-store');
      const copied = archive?.() ?? null;
      const copy = copied === null ? null : archiveOf(copied, now);
      const isDegraded = copy?.degraded === true || datasets.some(({ degraded }) => degraded);
      return {
        status: isDegraded ? 'degraded' : 'ok',
        ...roleJson(role),
        datasets,
        ...(copy === null ? {} : { archive: copy }),
      } as const;
    },
  );
  http.get(
    '/readyz',
    {
      config: { isOpen: true },
      schema: {
        tags: ['service'],
        summary: 'Whether every polled dataset has data or has failed at least once.',
        security: [],
        response: {
          200: ReadinessSchema,
          503: { ...ReadinessSchema, description: 'Some dataset has neither been read nor failed yet.' },
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
});

function archiveOf({ location, archivedAt, every, error, lost }: ArchiveStatus, now: number) {
  const isLate = archivedAt === null || now - archivedAt > LATE * every;
  return {
    location,
    age: ageInSeconds(archivedAt, now),
    error: error === null ? null : { code: error.code, message: error.message },
    lostDays: lost.length,
    degraded: lost.length > 0 || (error !== null && isLate),
  };
}

function healthOf(dataset: Dataset, lost: readonly LostDay[], now: number) {
  const { readAt, freshness, persisted, lastError } = dataset.status();
  const missing = missingDays(dataset, lost).map(({ date }) => date);
  return {
    name: dataset.name,
    age: ageInSeconds(readAt, now),
    freshness,
    persisted,
    lastError:
      lastError === null
        ? null
        : { code: lastError.code, message: lastError.message, at: isoTime(lastError.at) },
    missingDays: missing,
    degraded: missing.length > 0 || isDegraded(dataset),
  };
}

/** Stale, never read despite attempts, not written to the volume, or a broken view. */
function isDegraded(dataset: Dataset): boolean {
  const { freshness, persisted, lastError } = dataset.status();
  if (freshness === 'stale' || !persisted) return true;
  if (lastError === null) return false;
  // Data that has not changed needs no writing, and so is `persisted`; the next change will fail.
  return lastError.code === 'NOT_PERSISTED' || freshness === 'waiting' || dataset.kind === 'view';
}

/** Only polled datasets count: views and lookups are ready when their inputs are, and the service's own log fills later. */
function readiness(dataset: Dataset): 'waiting' | 'failed' | 'served' | 'not polled' {
  const { interval, lastError } = dataset.status();
  if (interval === null || dataset.kind === 'view' || dataset.source === THIS_SERVICE) return 'not polled';
  if (dataset.version !== null) return 'served';
  return lastError === null ? 'waiting' : 'failed';
}
