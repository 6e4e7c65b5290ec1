import { DynamoCsvError } from '../base/errors.js';

/** A CSV file that cannot be parsed. `name` is the file, `what` ends the sentence `line 7 of zones.csv …`. */
export function csvMalformed(name: string, line: number, what: string): DynamoCsvError {
  return new DynamoCsvError('CSV_MALFORMED', `Line ${line} of ${name} ${what}`, {
    remedy: 'correct that line',
  });
}
