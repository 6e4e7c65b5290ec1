import { DynamoCsvError } from '../base/errors.js';

/** A parameter of a request that is wrong. `sentence` begins with the parameter; `remedy` says what to write. */
export function badParameter(sentence: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('BAD_PARAMETER', sentence, { remedy, status: 400 });
}
