/** An error that DynamoDB would answer: its name and its sentence. */
export class DynamoDbFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** The body of the answer. */
  get body(): object {
    return { __type: `com.amazonaws.dynamodb.v20120810#${this.code}`, message: this.message };
  }
}

export function invalid(message: string): DynamoDbFailure {
  return new DynamoDbFailure('ValidationException', message);
}

export function notFound(what: string): DynamoDbFailure {
  return new DynamoDbFailure('ResourceNotFoundException', `Requested resource not found: ${what}`);
}

export function trimmed(): DynamoDbFailure {
  return new DynamoDbFailure(
    'TrimmedDataAccessException',
    'Attempt to access data that has already been trimmed',
  );
}

export function expired(): DynamoDbFailure {
  return new DynamoDbFailure(
    'ExpiredIteratorException',
    'Iterator expired. The iterator was created more than 15 minutes ago',
  );
}
