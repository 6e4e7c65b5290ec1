import { existsSync } from 'node:fs';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import { routePlugin } from '../plugin.js';

/** Seconds that a file with a hash of its bytes in its name may be cached: it never changes. */
const IMMUTABLE = 31_536_000;

/** `name-HASH.ext`, as esbuild names its output. */
const HASHED = /-[A-Z0-9]{8}\.[a-z0-9]+(\.map)?$/;

/**
 * The page at `/`: one route per file, so that no request path reaches the file system. The files contain no data and
 * need no token; the page asks for it. The security headers are those of `@fastify/helmet`, for these files only:
 * browsers do not execute CSV.
 */
export const page = routePlugin('page', [], async (http, { webDir }) => {
  if (webDir === null || !existsSync(webDir)) return;
  await http.register(async (page) => {
    page.addHook('onRoute', (route) => {
      route.config = { ...route.config, isOpen: true };
    });
    await page.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          connectSrc: ["'self'"],
          manifestSrc: ["'self'"],
          workerSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      // These three need https, which is up to a proxy; without it browsers print warnings.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    });
    await page.register(fastifyStatic, {
      root: webDir,
      wildcard: false,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const isHashed = HASHED.test(path.replace(/\.(br|gz)$/, ''));
        reply.header('cache-control', isHashed ? `public, max-age=${IMMUTABLE}, immutable` : 'no-cache');
      },
    });
  });
});
