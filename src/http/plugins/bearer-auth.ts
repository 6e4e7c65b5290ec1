import bearerAuth from '@fastify/bearer-auth';
import { tokenMissing, tokenWrong } from '../errors.js';
import type { Http } from '../options.js';

/**
 * `@fastify/bearer-auth` compares in constant time. With a token every route needs it, unknown URLs too, but those that
 * say of themselves that they are open.
 */
export async function registerBearerAuth(http: Http, token: string | null): Promise<void> {
  if (token === null) return;
  await http.register(bearerAuth, {
    keys: new Set([token]),
    addHook: false,
    // The scheme's name in any case, as HTTP has it: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
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
}
