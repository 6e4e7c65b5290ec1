import { httpPlugin } from '../plugin.js';
import { Answers } from './answers.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers requests for data. */
    readonly answers: Answers;
  }
}

/** Adds `http.answers`, which the routes for data answer with. */
export const answers = httpPlugin('answers', ['under-pressure'], (http, options) => {
  http.decorate('answers', new Answers(options, () => http.refuseIfOverloaded()));
});
