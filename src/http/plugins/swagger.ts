import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import { version } from '../../base/project.js';
import { httpPlugin, routePlugin } from '../plugin.js';

/** Derives the OpenAPI document from the schemas of all routes that are added later (`@fastify/swagger`). */
export const swagger = httpPlugin('swagger', [], async (http, { config }) => {
  await http.register(fastifySwagger, {
    // It would look for a base path in `servers`, and takes absolute URLs only.
    stripBasePath: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'dynamo-csv',
        version,
        description: 'Live DynamoDB tables as CSV, with history, SQL views and windows.',
      },
      // Relative to /openapi.json, so that it is right behind a proxy that strips a path prefix, too.
      servers: [{ url: './' }],
      tags: [
        { name: 'data', description: 'Datasets, windows and SQL.' },
        { name: 'grafana', description: 'Dashboards and alerts made for Grafana.' },
        { name: 'service', description: 'Health, metrics and documentation of the service.' },
      ],
      ...(config.apiToken !== null
        ? {
            components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
            security: [{ token: [] }],
          }
        : {}),
    },
  });
});

/** The page at `/docs` (`@fastify/swagger-ui`). It loads everything from this service and nothing from elsewhere. */
export const swaggerUi = routePlugin('swagger-ui', [], async (http) => {
  await http.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    // Relative like `servers`: the page is at /docs and /docs/, the document that it reads at /docs/json.
    indexPrefix: '.',
    transformSpecification: (document) => ({ ...document, servers: [{ url: '../' }] }),
    transformSpecificationClone: false,
    uiConfig: { validatorUrl: null, deepLinking: true },
    // The plugin's default allows styles and fonts from any https site, and an external validator.
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      // The hash of the one style sheet that Swagger UI writes inline.
      'style-src': "'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
      'img-src': "'self' data:",
      'font-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    },
  });
});
