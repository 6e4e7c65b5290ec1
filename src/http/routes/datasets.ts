import { isoTime } from '../../base/clock.js';
import { version } from '../../base/project.js';
import { tableShown } from '../../dashboards/tables.js';
import { dashboardUid } from '../../dashboards/uid.js';
import type { Dataset, EngineQuery } from '../../datasets/dataset.js';
import { type LostDay, missingDays, sealedDaysOf } from '../../datasets/missing-days.js';
import type { HttpOptions } from '../options.js';
import { routePlugin } from '../plugin.js';
import { CatalogueSchema, type DatasetJson } from '../schemas.js';
import { roleJson } from './role.js';

/** `GET /datasets`: the catalogue, in the order of the configuration. */
export const datasets = routePlugin('datasets', [], (http, options) => {
  const { config, clock, grafanaUrl, registry } = options;
  const startedAt = isoTime(clock.now());
  http.get(
    '/datasets',
    {
      schema: {
        tags: ['data'],
        summary: 'The catalogue: every dataset with its columns, size, age and state.',
        response: { 200: CatalogueSchema },
      },
    },
    (_request, reply) => {
      const now = clock.now();
      const all = registry.list();
      const lost = options.lostDays?.() ?? [];
      const views = all.filter(({ definition }) => definition !== undefined);
      reply.header('cache-control', 'no-store');
      return {
        service: {
          version,
          config: config.file,
          dataDir: config.dataDir,
          timeZone: config.timeZone,
          now: isoTime(now),
          startedAt,
          allowSql: config.allowSql,
          grafana: grafanaUrl,
          ...roleJson(options.role),
        },
        datasets: all.map((dataset) => datasetJson(dataset, views, lost, options, now)),
      };
    },
  );
});

function datasetJson(
  dataset: Dataset,
  views: readonly Dataset[],
  lost: readonly LostDay[],
  { readUnitsToday, costOf, registry, hasDashboards }: HttpOptions,
  now: number,
): DatasetJson {
  const { name, kind, source, description, keys, timeColumn, version, definition } = dataset;
  const { rows, bytes, readAt, interval, freshness, nextPollAt, persisted, lastError } = dataset.status();
  const missing = new Map(missingDays(dataset, lost).map(({ date, reason }) => [date, reason]));
  const shown = hasDashboards === true ? tableShown(dataset, registry) : null;
  return {
    name,
    kind,
    source,
    description,
    columns: dataset.columns?.map((column) => ({ name: column.name, type: column.type })) ?? null,
    keys: [...keys],
    timeColumn,
    exceptions: (dataset.exceptions ?? []).map((exception) => ({ ...exception, key: { ...exception.key } })),
    rows,
    bytes,
    version,
    readAt: readAt === null ? null : isoTime(readAt),
    age: ageInSeconds(readAt, now),
    interval: interval === null ? null : interval / 1_000,
    freshness,
    nextPollAt: nextPollAt === null ? null : isoTime(nextPollAt),
    persisted,
    lastError:
      lastError === null
        ? null
        : { code: lastError.code, message: lastError.message, at: isoTime(lastError.at) },
    readUnitsToday: readUnitsToday(name),
    cost: costOf?.(name) ?? null,
    query: queryJson(dataset.status().query ?? null),
    sealedDays: sealedDaysOf(dataset).filter(({ date }) => !missing.has(date)).length,
    missingDays: [...missing.keys()],
    missingReasons: [...new Set(missing.values())],
    definition:
      definition === undefined
        ? null
        : { file: definition.file, sql: definition.sql, uses: [...definition.uses] },
    usedBy: views.filter((view) => view.definition?.uses.includes(name) === true).map((view) => view.name),
    url: `/csv/${encodeURIComponent(name)}`,
    grafanaPath: shown === null ? null : `d/${dashboardUid(shown)}`,
  };
}

function queryJson(query: EngineQuery | null): DatasetJson['query'] {
  if (query === null) return null;
  const { engine, id, bytesScanned, usd, took } = query;
  return { engine, id, bytesScanned, usd, seconds: took / 1_000 };
}

/** Seconds since the data was read, with three decimals; null if it never was. */
export function ageInSeconds(readAt: number | null, now: number): number | null {
  return readAt === null ? null : Math.max(0, now - readAt) / 1_000;
}
