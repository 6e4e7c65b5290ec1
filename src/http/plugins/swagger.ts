import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { version } from '../../base/project.js';
import type { Http } from '../options.js';

/** `@fastify/swagger` reads the OpenAPI description off the routes, which therefore cannot say anything else. */
export async function registerSwagger(http: Http, hasToken: boolean): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'dynamo-csv',
        version,
        description: 'Live DynamoDB tables as CSV, with their history, SQL views and windows.',
      },
      tags: [
        { name: 'data', description: 'Datasets, windows of them, and SQL.' },
        { name: 'service', description: 'How the service is.' },
      ],
      ...(hasToken
        ? {
            components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
            security: [{ token: [] }],
          }
        : {}),
    },
  });
}

/** The page at `/docs`, by `@fastify/swagger-ui`: all of it comes from this service, and it asks nobody else. */
export async function registerSwaggerUi(http: Http): Promise<void> {
  await http.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { validatorUrl: null, deepLinking: true },
    // Its own default allows styles and fonts of any https site, and an outside validator.
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      // The hash is that of the one style sheet which Swagger UI writes into its page by itself.
      'style-src': "'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
      'img-src': "'self' data:",
      'font-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    },
  });
}
