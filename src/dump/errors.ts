import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';

/** What an interrupted dump left does not fit what is asked for now. */
export function otherDump(output: string, what: string): DynamoCsvError {
  return new DynamoCsvError('DUMP_DIFFERS', `An interrupted dump to ${output} ${what}`, {
    remedy: 'run it with the options that it was begun with, or add --restart to begin again',
  });
}

/** What an interrupted dump left cannot be read. */
export function dumpDamaged(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('DUMP_DAMAGED', `Cannot continue from ${path}: ${describeError(cause)}`, {
    remedy: 'add --restart to begin again',
    cause,
  });
}

/** What helps, by the system's error code. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'create its folder, or name another file',
  ENOTDIR: 'name another file',
  EISDIR: 'name a file in it',
  ENOSPC: 'make room, or name a file on another disk',
  EDQUOT: 'make room, or name a file on another disk',
  EACCES: 'name a file where you may write',
  EPERM: 'name a file where you may write',
  EROFS: 'name a file where you may write',
};

/** The output cannot be written. */
export function outputFailed(output: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('OUTPUT_FAILED', `Cannot write ${output}: ${describeError(cause)}`, {
    remedy: REMEDIES[errorCode(cause)] ?? 'make room, or name another file',
    cause,
  });
}

/** The output's name is that of a folder. */
export function outputIsFolder(output: string): DynamoCsvError {
  return new DynamoCsvError('OUTPUT_FAILED', `Cannot write ${output}: it is a folder`, {
    remedy: REMEDIES.EISDIR!,
  });
}

/** Nobody reads standard output any more: `dynamo-csv dump orders | head`. */
export function outputClosed(cause: unknown): DynamoCsvError {
  return new DynamoCsvError('OUTPUT_CLOSED', 'Standard output was closed', { cause });
}

/** Parquet on a terminal is of no use to anybody. */
export function binaryToTerminal(): DynamoCsvError {
  return new DynamoCsvError('BINARY_TO_TERMINAL', 'Parquet is not text for a terminal', {
    remedy: 'name a file: -o orders.parquet',
  });
}

/** Columns that no item has. Only the last item can tell: a table has no list of its attributes. */
export function columnsUnknown(names: readonly string[], table: string): DynamoCsvError {
  return new DynamoCsvError(
    'COLUMN_UNKNOWN',
    `No item of ${table} has ${names.map((name) => JSON.stringify(name)).join(', ')}`,
    {
      remedy: 'correct --columns',
    },
  );
}
