import { Type } from 'typebox';
import type { Dataset, Registry } from '../../datasets/dataset.js';
import { datasetUnknown } from '../../datasets/errors.js';
import type { Shape } from '../../datasets/shaped.js';
import { isPlain } from '../../windows/parameters.js';
import { parseShape } from '../../windows/shape.js';
import type { Answers } from '../answers/answers.js';
import { parametersOf } from '../answers/query-string.js';
import type { Http, HttpOptions } from '../options.js';
import { answerSchema, WINDOW_PARAMETERS } from './window-parameters.js';

const SUFFIX = '.csv';
const UNSHAPED: Shape = {};

/** `GET|HEAD /csv/:name`, with or without `.csv`: a dataset, or a window of it. */
export function csvRoute(http: Http, { registry, queries }: HttpOptions, answers: Answers): void {
  http.route({
    method: ['GET', 'HEAD'],
    url: '/csv/:name',
    schema: {
      tags: ['data'],
      summary: 'A dataset as CSV, or a window of it.',
      params: Type.Object({ name: Type.String({ description: 'As in /datasets, with or without .csv.' }) }),
      querystring: WINDOW_PARAMETERS,
      response: answerSchema,
    },
    // Parameters are understood by what answers them, in the order they were written.
    validatorCompiler: () => () => true,
    handler: (request, reply) => {
      const dataset = find(registry, request.params.name);
      request.dataset = dataset.name;
      const parameters = parametersOf(request.raw.url ?? '');
      if (parameters.length === 0) return answers.plain(request, reply, dataset, UNSHAPED);
      if (isPlain(parameters)) return answers.plain(request, reply, dataset, parseShape(parameters));
      return queries.window(dataset, parameters).then((query) => answers.query(request, reply, query));
    },
  });
}

/** A name may itself end in `.csv`, so the exact one goes first. */
function find(registry: Registry, name: string): Dataset {
  const exact = registry.get(name);
  if (exact !== undefined) return exact;
  const bare = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name;
  const dataset = registry.get(bare);
  if (dataset === undefined) throw datasetUnknown(bare, registry.closest(bare));
  return dataset;
}
