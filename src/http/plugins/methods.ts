import { methodNotAllowed } from '../errors.js';
import type { Http } from '../options.js';
import { pathOf } from './errors.js';

/** What a client may try; OPTIONS is CORS's where that is open. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Notes every route's methods from here on, as `http.methodsByUrl`. */
export function noteMethods(http: Http): void {
  const methodsByUrl = new Map<string, Set<string>>();
  http.decorate('methodsByUrl', methodsByUrl);
  http.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    methodsByUrl.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });
}

/** Answers the methods that these URLs do not have by 405; the router alone would say that there is no such URL. */
export function registerOtherMethods(http: Http, urls: readonly string[]): void {
  for (const url of urls) {
    const allowed = [...(http.methodsByUrl.get(url) ?? [])];
    http.route({
      url,
      method: METHODS.filter((method) => !allowed.includes(method)),
      schema: { hide: true },
      handler: (request, reply) => {
        reply.header('allow', allowed.join(', '));
        throw methodNotAllowed(request.method, pathOf(request.raw.url), allowed);
      },
    });
  }
}
