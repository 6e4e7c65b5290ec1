import { badParameter, badQueryString } from '../../base/errors.js';
import type { Parameters } from '../../datasets/queries.js';
import type { Shape } from '../../datasets/shaped.js';

/** The query string of a request's raw URL, without the question mark; empty where there is none. */
export function queryStringOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/**
 * The parameters, decoded (`+` is a space), in the order they were written, repeated ones repeated. Throws
 * `BAD_QUERY_STRING` for what is not percent-encoded rightly: taken as it is, it would ask for something else.
 */
export function parseParameters(queryString: string): Parameters {
  if (/%(?![0-9A-Fa-f]{2})/.test(queryString)) throw badQueryString();
  return [...new URLSearchParams(queryString)];
}

/** The shape, when nothing but a shape is asked for; null for a window. Of equal parameters the last counts. */
export function plainShape(parameters: Parameters): Shape | null {
  let shape: Shape = {};
  for (const [name, value] of parameters) {
    if (name === 'pad') shape = { ...shape, pad: parsePad(value) };
    else if (name === 'null') shape = { ...shape, nullText: value };
    else return null;
  }
  return shape;
}

function parsePad(value: string): boolean {
  if (value === '1' || value === 'true') return true;
  if (value === '0' || value === 'false') return false;
  throw badParameter(`pad=${value} is neither yes nor no`, 'write pad=1');
}
