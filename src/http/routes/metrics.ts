import { Type } from 'typebox';
import type { Http, HttpOptions } from '../options.js';
import { ageInSeconds } from './datasets.js';

/** `GET /metrics`, as Prometheus reads it. */
export function metricsRoute(http: Http, { metrics, registry, clock }: HttpOptions): void {
  http.get(
    '/metrics',
    {
      schema: {
        tags: ['service'],
        summary: 'Metrics in the text format of Prometheus.',
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
}
