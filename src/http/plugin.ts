import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyPluginAsync, RawServerDefault } from 'fastify';
import fp from 'fastify-plugin';
import type { Http, HttpOptions } from './options.js';

/** One concern of the HTTP side, as a Fastify plugin. */
export type HttpPlugin = FastifyPluginAsync<HttpOptions, RawServerDefault, TypeBoxTypeProvider>;

/**
 * Makes a plugin that adds to the server itself, not to a scope of its own. `dependencies` are the names of plugins that
 * must be registered before it; if one is missing, `ready()` rejects and names both.
 */
export function httpPlugin(
  name: string,
  dependencies: readonly string[],
  register: (http: Http, options: HttpOptions) => void | Promise<void>,
): HttpPlugin {
  const plugin: HttpPlugin = async (http, options) => register(http, options);
  return fp(plugin, { name, dependencies: [...dependencies] });
}

/** What watches, documents and guards routes sees only those that come after it. */
const BEFORE_ROUTES = ['observe', 'methods', 'swagger', 'bearer-auth'];

/** Makes a plugin that adds routes; see `httpPlugin`. */
export function routePlugin(
  name: string,
  dependencies: readonly string[],
  register: (http: Http, options: HttpOptions) => void | Promise<void>,
): HttpPlugin {
  return httpPlugin(name, [...BEFORE_ROUTES, ...dependencies], register);
}
