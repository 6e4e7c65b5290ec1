import { DynamoCsvError } from '../base/errors.js';

/** A parameter of an alert to copy, or of a dashboard, that is wrong. `sentence` begins with the parameter. */
export function badAlert(sentence: string, remedy: string): DynamoCsvError {
  return new DynamoCsvError('BAD_ALERT', sentence, { remedy, status: 400 });
}

/** The dataset cannot have that alert; `reason` says why. */
export function alertImpossible(dataset: string, reason: string): DynamoCsvError {
  return new DynamoCsvError('BAD_ALERT', `${dataset} cannot have this alert: ${reason}`, {
    remedy: 'choose another alert',
    status: 400,
  });
}

/** The name of a plugin that is none of the two. */
export function dataSourceUnknown(text: string): DynamoCsvError {
  return new DynamoCsvError(
    'DATASOURCE_UNKNOWN',
    `datasource: there is no data source ${JSON.stringify(text)}`,
    {
      remedy: 'write csv or infinity',
      status: 400,
    },
  );
}
