import { DynamoCsvError } from '../base/errors.js';

/** A table that was found and is no longer listed. `since`: ISO 8601. */
export function tableGone(table: string, since: string): DynamoCsvError {
  return new DynamoCsvError(
    'TABLE_GONE',
    `Table ${table} no longer exists (noticed at ${since}): this is the last data that was read`,
    { remedy: 'add it to exclude to remove it from here', status: 503 },
  );
}

/** A table that was found and cannot be read. `problem`: why. */
export function tableSkipped(table: string, problem: DynamoCsvError): DynamoCsvError {
  return new DynamoCsvError('TABLE_SKIPPED', `table ${table} was found and is not read: ${problem.message}`, {
    remedy: [problem.remedy, 'it is tried again every few minutes']
      .filter((part) => part !== null)
      .join('; '),
    status: 503,
    cause: problem,
  });
}

/** A table that may exist: the first list of tables, or what was asked about those in it, is on its way. */
export function tablesNotListedYet(name: string): DynamoCsvError {
  return new DynamoCsvError('TABLE_NOT_FOUND_YET', `there is no dataset ${JSON.stringify(name)} yet`, {
    remedy: 'the tables of the region are being looked for: ask again in a moment',
    status: 503,
  });
}

/** A table that may exist: tables cannot be listed. `problem`: why. */
export function tablesUnknown(name: string, problem: DynamoCsvError): DynamoCsvError {
  const sentence = `there is no dataset ${JSON.stringify(name)}, and no new table is found: ${problem.message}`;
  return new DynamoCsvError('TABLES_UNKNOWN', sentence, {
    ...(problem.remedy === null ? {} : { remedy: problem.remedy }),
    status: 503,
    cause: problem,
  });
}

/** The file with the tables that were found has an unknown format. */
export function foundUnreadable(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'DISCOVERED_UNREADABLE',
    `${path} cannot be read: tables are served once they are found again`,
    { cause },
  );
}

/** The tables that were found could not be written down. */
export function foundNotWritten(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'DISCOVERED_NOT_WRITTEN',
    `${path} cannot be written: after a restart, tables are served once they are found again`,
    { remedy: 'free space on the disk, or allow the user of this process to write there', cause },
  );
}
