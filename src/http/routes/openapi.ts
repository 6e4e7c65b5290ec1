import type { Http } from '../options.js';

/** `GET /openapi.json`: the description that `/docs` shows, for programs. */
export function openapiRoute(http: Http): void {
  http.get(
    '/openapi.json',
    { schema: { tags: ['service'], summary: 'This description, as OpenAPI 3.1.' } },
    (_request, reply) => {
      reply.send(http.swagger());
    },
  );
}
