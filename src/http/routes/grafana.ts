import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { tableShown } from '../../dashboards/tables.js';
import { parametersOf } from '../answers/query-string.js';
import type { HttpOptions } from '../options.js';
import { routePlugin } from '../plugin.js';
import { findDataset } from './find-dataset.js';
import { errorLines, text } from './window-parameters.js';

const DATASOURCE = {
  datasource: text('The plugin that asks: `csv` (default) or `infinity`.', 'infinity'),
};

const nameParameter = (suffix: string) =>
  Type.Object({
    name: Type.String({ description: `The name of the dataset, as in /datasets; \`${suffix}\` may follow.` }),
  });

/**
 * `GET /grafana/dashboards/:name.json` and `GET /grafana/alerts/:name.yaml`: a dashboard and an alert made for a dataset.
 * 404 for an unknown name, 400 for a wrong parameter.
 */
export const grafana = routePlugin('grafana', [], (http, options) => {
  http.get(
    '/grafana/dashboards/:name',
    {
      schema: {
        tags: ['grafana'],
        summary: 'A Grafana dashboard made for this dataset, ready to import or to provision.',
        params: nameParameter('.json'),
        querystring: Type.Object(DATASOURCE),
        response: {
          200: { description: 'The dashboard.', content: { 'application/json': { schema: Type.Unknown() } } },
          ...errorLines,
        },
      },
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const dataset = findDataset(options.registry, request.params.name, '.json');
      const { datasource } = parametersIn(request);
      const { dashboardJson, flavourOf } = await import('../../dashboards/generated.js');
      const json = await dashboardJson(dataset, flavourOf(datasource), madeFrom(options, reply));
      return made(reply, 'application/json; charset=utf-8').send(json);
    },
  );

  http.get(
    '/grafana/alerts/:name',
    {
      schema: {
        tags: ['grafana'],
        summary: 'An alert on this dataset as a provisioning file of Grafana.',
        params: nameParameter('.yaml'),
        querystring: Type.Object({
          alert: text(
            '`stale` (default): the data, or its newest row, is older than `older`. `above`: a number is above `value`. `empty`: no rows.',
            'above',
          ),
          older: text('A duration, for `stale`; by default three polling intervals, or an hour.', '15m'),
          column: text(
            'The number column, for `above`; by default the first that measures something.',
            'count',
          ),
          value: text('The bound, for `above`.', '100'),
          for: text('How long it must be so before anybody is told; by default a minute.', '5m'),
          ...DATASOURCE,
        }),
        response: {
          200: { description: 'The alert.', content: { 'application/yaml': { schema: Type.String() } } },
          ...errorLines,
        },
      },
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const dataset = findDataset(options.registry, request.params.name, '.yaml');
      const { datasource, ...alert } = parametersIn(request);
      const { alertYaml, flavourOf } = await import('../../dashboards/generated.js');
      const isPublished =
        options.hasDashboards === true && tableShown(dataset, options.registry) === dataset.name;
      const yaml = await alertYaml(dataset, alert, flavourOf(datasource), {
        ...madeFrom(options, reply),
        isPublished,
      });
      return made(reply, 'application/yaml; charset=utf-8').send(yaml);
    },
  );
});

/** The last value of each parameter. */
function parametersIn({ raw }: FastifyRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(parametersOf(raw.url ?? ''));
}

function madeFrom({ registry, queries, config, clock }: HttpOptions, reply: FastifyReply) {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort(new Error('the client disconnected')));
  return { registry, queries, timeZone: config.timeZone, now: clock.now(), signal: gone.signal };
}

function made(reply: FastifyReply, contentType: string): FastifyReply {
  return reply
    .header('content-type', contentType)
    .header('cache-control', 'no-cache')
    .header('x-content-type-options', 'nosniff');
}
