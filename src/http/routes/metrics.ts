import { Type } from 'typebox';
import { routePlugin } from '../plugin.js';
import { ageInSeconds } from './datasets.js';

/** `GET /metrics`, in the text format of Prometheus. */
export const prometheus = routePlugin('metrics', [], (http, options) => {
  const { registry, clock, metrics } = options;
  http.get(
    '/metrics',
    {
      schema: {
        tags: ['service'],
        summary: 'Metrics in the Prometheus text format.',
        response: {
          200: { description: 'Metrics.', content: { 'text/plain': { schema: Type.String() } } },
        },
      },
    },
    async (_request, reply) => {
      const now = clock.now();
      metrics.age.reset();
      for (const dataset of registry.list()) {
        const age = ageInSeconds(dataset.status().readAt, now);
        if (age !== null) metrics.age.set({ dataset: dataset.name }, age);
      }
      reply.type(metrics.registry.contentType).header('cache-control', 'no-store');
      return metrics.registry.metrics();
    },
  );
});
