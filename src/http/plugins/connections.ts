import { MAX_CONNECTIONS } from '../limits.js';
import { httpPlugin } from '../plugin.js';

/** Milliseconds between two warnings: a flood of connections must not become a flood of log lines. */
const WARN_EVERY = 60_000;

/** Limits the number of open connections. Node closes further ones at once; the service log says so. */
export const connections = httpPlugin('connections', [], (http, { logger, clock }) => {
  let warnedAt = Number.NEGATIVE_INFINITY;
  http.server.maxConnections = MAX_CONNECTIONS;
  http.server.on('drop', () => {
    if (clock.now() - warnedAt < WARN_EVERY) return;
    warnedAt = clock.now();
    logger.warn({ limit: MAX_CONNECTIONS }, 'too many open connections, refusing new ones');
  });
});
