import { badParameter, badUrl, urlTooLong } from '../../base/errors.js';
import type { Parameters } from '../../datasets/queries.js';
import type { Shape } from '../../datasets/shaped.js';
import { MAX_URL } from '../limits.js';

const NONE: Parameters = [];
const UNSHAPED: Shape = {};

/**
 * The parameters of a request's raw URL, decoded (`+` is a space), in the order they were written, repeated ones
 * repeated. Throws `URL_TOO_LONG`, and `BAD_URL` for what is not percent-encoded rightly: taken as it is, it
 * would ask for something else.
 */
export function parametersOf(url: string): Parameters {
  const mark = url.indexOf('?');
  if (mark === -1 || mark === url.length - 1) return NONE;
  if (url.length > MAX_URL) throw urlTooLong(url.length, MAX_URL);
  const queryString = url.slice(mark + 1);
  if (/%(?![0-9A-Fa-f]{2})/.test(queryString)) throw badUrl();
  return [...new URLSearchParams(queryString)];
}

/** The shape, when nothing but a shape is asked for; null for a window. Of equal parameters the last counts. */
export function plainShape(parameters: Parameters): Shape | null {
  let shape = UNSHAPED;
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
