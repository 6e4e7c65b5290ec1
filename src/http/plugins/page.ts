import { existsSync } from 'node:fs';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { Http } from '../options.js';

/** Seconds: a file whose name has the hash of its bytes never changes. */
const IMMUTABLE = 31_536_000;

/** `name-HASH.ext`, as esbuild names what it bundles. */
const HASHED = /-[A-Z0-9]{8}\.[a-z0-9]+(\.map)?$/;

/**
 * The page's own files, each with a route of its own, so that no request reaches the file system by a path. They hold
 * no data, and are open when there is a token: the page asks for it. The headers are `@fastify/helmet`'s, registered
 * here and not for CSV, which no browser runs.
 */
export function registerPage(http: Http, webDir: string | null): void {
  if (webDir === null || !existsSync(webDir)) return;
  http.register(async (page) => {
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
      // These three mean something over https only, which is a proxy's business, and browsers complain without it.
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
}
