/** What a table's status means for reading it. */
interface Meaning {
  /** Completes "table orders …". */
  readonly is: string;
  /** An imperative without a full stop. */
  readonly remedy: string;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  CREATING: { is: 'is still being created', remedy: 'wait until it is ACTIVE; then it is read' },
  DELETING: {
    is: 'is being deleted',
    remedy: 'remove it from the configuration, or create it again once it is deleted',
  },
  INACCESSIBLE_ENCRYPTION_CREDENTIALS: {
    is: 'cannot be decrypted: DynamoDB has no access to its KMS key',
    remedy:
      'enable the key and restore the access of DynamoDB to it within seven days; after that the table is archived',
  },
  ARCHIVING: {
    is: 'is being archived, because its KMS key was inaccessible for seven days',
    remedy: 'make the key accessible, then restore the table from the backup that DynamoDB makes of it',
  },
  ARCHIVED: {
    is: 'was archived, because its KMS key was inaccessible for seven days',
    remedy: 'make the key accessible, then restore the table from the backup that DynamoDB made of it',
  },
  REPLICATION_NOT_AUTHORIZED: {
    is: 'is not allowed to replicate',
    remedy: 'restore the permissions of its replication',
  },
};

const UNKNOWN: Meaning = { is: 'cannot be read', remedy: 'wait until it is ACTIVE; then it is read' };

/** Whether a table with that status can be read. */
export function isReadable(status: string): boolean {
  return status === 'ACTIVE' || status === 'UPDATING';
}

export function meaningOf(status: string): Meaning {
  return (Object.hasOwn(MEANINGS, status) ? MEANINGS[status] : undefined) ?? UNKNOWN;
}
