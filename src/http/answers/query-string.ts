import type { Parameters } from '../../datasets/queries.js';
import { badUrl, urlTooLong } from '../errors.js';
import { MAX_URL } from '../limits.js';

const NONE: Parameters = [];

/**
 * The decoded parameters of a raw URL in their order, including repeated ones; `+` is a space. Throws `URL_TOO_LONG`, and
 * `BAD_URL` for wrong percent-encoding, which taken literally would mean another request.
 */
export function parametersOf(url: string): Parameters {
  const mark = url.indexOf('?');
  if (mark === -1 || mark === url.length - 1) return NONE;
  if (url.length > MAX_URL) throw urlTooLong(url.length, MAX_URL);
  const queryString = url.slice(mark + 1);
  if (/%(?![0-9A-Fa-f]{2})/.test(queryString)) throw badUrl();
  return [...new URLSearchParams(queryString)];
}
