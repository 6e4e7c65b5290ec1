import { Type } from 'typebox';
import type { Shape } from '../../csv/shape.js';
import type { Dataset } from '../../datasets/dataset.js';
import { isPlain } from '../../windows/parameters.js';
import { parseShape } from '../../windows/shape.js';
import { parametersOf } from '../answers/query-string.js';
import {
  forSpreadsheet,
  type SpreadsheetRequest,
  spreadsheetOf,
  wholeDataset,
} from '../answers/spreadsheet.js';
import { routePlugin } from '../plugin.js';
import { findDataset } from './find-dataset.js';
import { answerSchema, WINDOW_PARAMETERS } from './window-parameters.js';

const UNSHAPED: Shape = {};

/** `GET|HEAD /csv/:name`, with or without `.csv`: a dataset, or a window of it. 404 for an unknown name, 400 for a wrong parameter. */
export const csv = routePlugin('csv', ['answers'], (http, { registry, queries }) => {
  const spreadsheet = async (dataset: Dataset, { options, shape, rest }: SpreadsheetRequest) => {
    const query = isPlain(rest) ? wholeDataset(dataset, rest) : await queries.window(dataset, rest);
    return forSpreadsheet(query, options, shape);
  };

  http.route({
    method: ['GET', 'HEAD'],
    url: '/csv/:name',
    schema: {
      tags: ['data'],
      summary: 'A dataset, or a window of it, as CSV, JSON or Parquet.',
      params: Type.Object({
        name: Type.String({ description: 'The name of the dataset, as in /datasets; `.csv` may follow.' }),
      }),
      querystring: WINDOW_PARAMETERS,
      response: answerSchema,
    },
    // The window's parser checks the parameters, with better messages than a schema.
    validatorCompiler: () => () => true,
    handler: (request, reply) => {
      const dataset = findDataset(registry, request.params.name, '.csv');
      request.dataset = dataset.name;
      const parameters = parametersOf(request.raw.url ?? '');
      if (parameters.length === 0) return http.answers.plain(request, reply, dataset, UNSHAPED);
      const asked = spreadsheetOf(parameters);
      if (asked === null && isPlain(parameters))
        return http.answers.plain(request, reply, dataset, parseShape(parameters));
      const query = asked === null ? queries.window(dataset, parameters) : spreadsheet(dataset, asked);
      return query.then((checked) => http.answers.query(request, reply, checked));
    },
  });
});
