import cors from '@fastify/cors';
import type { Http } from '../options.js';

/** Headers of ours that a page elsewhere may read; others are hidden from it unless named. */
const EXPOSED = ['Age', 'ETag', 'Last-Modified', 'Retry-After', 'WWW-Authenticate'];
/** Seconds for which a browser remembers that it may ask: two hours are Chromium's most. */
const PREFLIGHT_KEPT = 7_200;

/** `@fastify/cors`, where origins are named: their pages may read the data in a visitor's browser. Closed otherwise. */
export async function registerCors(http: Http, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await http.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_KEPT,
    // OPTIONS that is no preflight is answered like one; the plugin's own refusal is not in our form.
    strictPreflight: false,
  });
}
