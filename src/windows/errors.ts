import { DynamoCsvError } from '../base/errors.js';

/** A parameter of a request that is wrong. `sentence` begins with the parameter; `remedy` says what to write. */
export function badParameter(sentence: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('BAD_PARAMETER', sentence, { remedy, status: 400 });
}

/** A parameter that needs times, asked of a dataset that has none. */
export class NoTimeColumn extends DynamoCsvError {
  /** `remedy`: what to write instead. */
  constructor(sentence: string, remedy: string) {
    super('BAD_PARAMETER', sentence, { remedy, status: 400 });
  }
}
