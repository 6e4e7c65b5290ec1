import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import { httpPlugin } from '../plugin.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `false`: without CORS. */
    readonly cors?: false;
  }
}

/** Response headers that a page of another origin may read; browsers hide all others but a few. */
const EXPOSED = ['Age', 'ETag', 'Last-Modified', 'Retry-After', 'WWW-Authenticate'];
/** Seconds for which a browser caches a preflight: Chromium's maximum. */
const PREFLIGHT_KEPT = 7_200;

/**
 * `@fastify/cors` for the origins in `CORS_ORIGIN`, whose pages may read data in a visitor's browser. Off without any.
 * Preflights are answered without a token, on paths that exist; any other OPTIONS request goes the usual way (405, 404).
 */
export const cors = httpPlugin('cors', ['hosts'], async (http, { config }) => {
  const origins = config.corsOrigin;
  if (origins.length === 0) return;
  const options: FastifyCorsOptions = {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_KEPT,
  };
  // The plugin's catch-all route for OPTIONS would answer preflights on paths that do not exist.
  http.addHook('onRoute', (route) => {
    if (route.url === '*') route.config = { ...route.config, cors: false };
  });
  await http.register(fastifyCors, {
    delegator: (request, done) => done(null, { ...options, preflight: isPreflight(request) }),
  });
});

/** https://fetch.spec.whatwg.org/#cors-preflight-request */
function isPreflight({ method, headers }: FastifyRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
