import type { HTTPMethods } from 'fastify';
import { methodNotAllowed } from '../errors.js';
import type { Http } from '../options.js';
import { httpPlugin } from '../plugin.js';
import { pathOf } from './errors.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods of every route, by URL pattern. */
    readonly methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>;
  }
}

/** The methods that clients may try. */
const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Records the methods of every route that is added later, as `http.methodsByUrl`. */
export const methods = httpPlugin('methods', [], (http) => {
  const methodsByUrl = new Map<string, Set<string>>();
  http.decorate('methodsByUrl', methodsByUrl);
  http.addHook('onRoute', ({ url, method }) => {
    const known = methodsByUrl.get(url) ?? new Set();
    methodsByUrl.set(url, known);
    for (const one of [method].flat()) known.add(one);
  });
});

/** Answers 405 to methods that a URL does not have. The router alone would answer 404. */
export const otherMethods = httpPlugin(
  'other-methods',
  ['csv', 'sql', 'datasets', 'health', 'metrics', 'openapi', 'swagger-ui', 'page'],
  (http) => {
    for (const url of [...http.methodsByUrl.keys()]) {
      // The catch-all routes are those of CORS preflights and of Swagger's files.
      if (!url.endsWith('*')) refuseOtherMethods(http, url);
    }
  },
);

function refuseOtherMethods(http: Http, url: string): void {
  const allowed = METHODS.filter((method) => http.hasRoute({ method, url }));
  http.route({
    url,
    method: METHODS.filter((method) => !allowed.includes(method)),
    schema: { hide: true },
    handler: (request, reply) => {
      reply.header('allow', allowed.join(', '));
      throw methodNotAllowed(request.method, pathOf(request.raw.url), allowed);
    },
  });
}
