import { routePlugin } from '../plugin.js';

/** `GET /openapi.json`: the OpenAPI document that `/docs` displays. */
export const openapi = routePlugin('openapi', [], (http) => {
  http.get(
    '/openapi.json',
    { schema: { tags: ['service'], summary: 'This API as an OpenAPI 3.1 document.' } },
    (_request, reply) => {
      reply.send(http.swagger());
    },
  );
});
