import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Parameters } from '../../datasets/queries.js';
import { parametersOf } from '../answers/query-string.js';
import { forSpreadsheet, spreadsheetOf } from '../answers/spreadsheet.js';
import { sqlFromForeignPage, sqlMissing, sqlNotAllowed } from '../errors.js';
import { isFromForeignPage } from '../foreign-page.js';
import { routePlugin } from '../plugin.js';
import { SqlSchema } from '../schemas.js';
import { answerSchema, OUTPUT_PARAMETERS, SQL_PARAMETERS } from './window-parameters.js';

/**
 * `GET|HEAD /csv?sql=…` and `POST /sql`: read-only SQL over the datasets. 404 unless `ALLOW_SQL=true`,
 * 403 for a page of another origin, 400 for SQL that does not work.
 */
export const sql = routePlugin('sql', ['answers'], (http, { config, queries }) => {
  const ask = async ({ raw }: FastifyRequest, sql: string | undefined, parameters: Parameters) => {
    if (!config.allowSql) throw sqlNotAllowed();
    if (isFromForeignPage(raw.headers, config.corsOrigin)) throw sqlFromForeignPage();
    if (sql === undefined || sql.trim() === '') throw sqlMissing();
    const asked = spreadsheetOf(parameters);
    if (asked === null) return queries.sql(sql, parameters);
    return forSpreadsheet(await queries.sql(sql, asked.rest), asked.options, asked.shape);
  };

  http.route({
    method: ['GET', 'HEAD'],
    url: '/csv',
    schema: {
      hide: !config.allowSql,
      tags: ['data'],
      summary: 'The result of one SELECT over the datasets.',
      querystring: SQL_PARAMETERS,
      response: answerSchema,
    },
    validatorCompiler: () => () => true,
    handler: async (request, reply) => {
      const parameters = parametersOf(request.raw.url ?? '');
      const query = await ask(
        request,
        parameters.findLast(([name]) => name === 'sql')?.[1],
        parameters.filter(([name]) => name !== 'sql'),
      );
      return http.answers.query(request, reply, query);
    },
  });

  http.route({
    method: 'POST',
    url: '/sql',
    schema: {
      hide: !config.allowSql,
      tags: ['data'],
      summary: 'The same, with the SELECT in the body: for long ones, and for programs.',
      querystring: OUTPUT_PARAMETERS,
      body: {
        content: {
          'text/plain': { schema: Type.String({ examples: ['SELECT 1 AS one'] }) },
          'application/json': { schema: SqlSchema },
        },
      },
      response: answerSchema,
    },
    validatorCompiler: () => () => true,
    handler: async (request, reply) => {
      const query = await ask(request, sqlOf(request.body), parametersOf(request.raw.url ?? ''));
      return http.answers.query(request, reply, query);
    },
  });
});

/** The SQL of a request body: the text itself, or the value of `sql` in JSON. */
function sqlOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null || !('sql' in body)) return undefined;
  return typeof body.sql === 'string' ? body.sql : undefined;
}
