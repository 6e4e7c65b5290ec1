import fastifyCors from '@fastify/cors';
import { httpPlugin } from '../plugin.js';

/** Response headers that a page of another origin may read; browsers hide all others but a few. */
const EXPOSED = ['Age', 'ETag', 'Last-Modified', 'Retry-After', 'WWW-Authenticate'];
/** Seconds for which a browser caches a preflight: Chromium's maximum. */
const PREFLIGHT_KEPT = 7_200;

/** `@fastify/cors` for the origins in `CORS_ORIGIN`, whose pages may read data in a visitor's browser. Off without any. */
export const cors = httpPlugin('cors', [], async (http, { config }) => {
  const origins = config.corsOrigin;
  if (origins.length === 0) return;
  await http.register(fastifyCors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_KEPT,
    // OPTIONS that is no preflight is answered like one; the plugin's own refusal is not in our form.
    strictPreflight: false,
  });
});
