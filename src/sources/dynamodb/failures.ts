import { DynamoCsvError } from '../../base/errors.js';
import { awsFailure, facts } from '../aws/failures.js';
import { AnswerTooLarge } from '../aws/receiving.js';
import {
  answerTooLarge,
  dynamoDbFailed,
  noDynamoDb,
  type TablePlace,
  tableNotFound,
  tableNotRead,
} from './errors.js';

/**
 * Converts what a request threw to an error for users. `action` as IAM names it: `dynamodb:Scan`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export function explainFailure(thrown: unknown, place: TablePlace, action: string): DynamoCsvError {
  if (thrown instanceof DynamoCsvError) return thrown;
  if (thrown instanceof AnswerTooLarge) return answerTooLarge(place, thrown);
  const failure = awsFailure(thrown, {
    action,
    allow: (denied) =>
      `allow the action ${denied} on this ${place.index == null ? 'table' : 'index'} in IAM (docs/iam.md)`,
    regionOption: 'region in the configuration of this table',
  });
  if (failure !== null) return tableNotRead(place, failure, thrown);
  const { name, reason, whileReading } = facts(thrown);
  if (name === 'ResourceNotFoundException') return tableNotFound(place, thrown);
  if (place.endpoint !== null && !/^https?:\/\//.test(place.endpoint))
    return noDynamoDb(place, 'the endpoint does not begin with http:// or https://', thrown);
  if (whileReading || thrown instanceof SyntaxError)
    return noDynamoDb(place, 'something else answers there', thrown);
  return dynamoDbFailed(place, action, reason, thrown);
}
