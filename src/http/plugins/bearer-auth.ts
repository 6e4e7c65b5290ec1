import fastifyBearerAuth from '@fastify/bearer-auth';
import { tokenMissing, tokenWrong } from '../errors.js';
import { httpPlugin } from '../plugin.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route works without the token: health, and the page's own files, which contain no data. */
    readonly isOpen?: boolean;
  }
}

/**
 * Requires the token, where one is set, for every URL (unknown ones too) except routes with `config.isOpen`.
 * `@fastify/bearer-auth` compares it in constant time. After CORS: a preflight has no token, and a 401 must carry the
 * CORS headers for the page to read it.
 */
export const bearerAuth = httpPlugin('bearer-auth', ['cors'], async (http, { config }) => {
  const token = config.apiToken;
  if (token === null) return;
  await http.register(fastifyBearerAuth, {
    keys: new Set([token]),
    addHook: false,
    // The scheme is case-insensitive: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  http.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.isOpen === true) return done();
    const verify = http.verifyBearerAuth;
    if (verify === undefined) return done(tokenMissing());
    verify(request, reply, (error) => {
      if (!error) return done();
      done(request.headers.authorization === undefined ? tokenMissing() : tokenWrong());
    });
  });
});
