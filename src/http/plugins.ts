import { answers } from './answers/plugin.js';
import type { HttpPlugin } from './plugin.js';
import { bearerAuth } from './plugins/bearer-auth.js';
import { closing } from './plugins/closing.js';
import { connections } from './plugins/connections.js';
import { cors } from './plugins/cors.js';
import { errors } from './plugins/errors.js';
import { hosts } from './plugins/hosts.js';
import { methods, otherMethods } from './plugins/methods.js';
import { observe } from './plugins/observe.js';
import { page } from './plugins/page.js';
import { swagger, swaggerUi } from './plugins/swagger.js';
import { underPressure } from './plugins/under-pressure.js';
import { csv } from './routes/csv.js';
import { datasets } from './routes/datasets.js';
import { grafana } from './routes/grafana.js';
import { health } from './routes/health.js';
import { prometheus } from './routes/metrics.js';
import { openapi } from './routes/openapi.js';
import { sql } from './routes/sql.js';

/**
 * Everything that the server consists of, in the order in which it is registered. Each plugin names those that must come
 * before it, so an order that does not work fails at start, and any other order gives the same service.
 */
export const plugins: readonly HttpPlugin[] = [
  errors,
  observe,
  connections,
  closing,
  methods,
  hosts,
  cors,
  bearerAuth,
  underPressure,
  answers,
  swagger,
  csv,
  sql,
  datasets,
  grafana,
  health,
  prometheus,
  openapi,
  swaggerUi,
  page,
  otherMethods,
];
