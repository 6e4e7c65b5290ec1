import { DynamoCsvError } from '../base/errors.js';

/** A table that was found and is no longer listed. `since`: ISO 8601. */
export function tableGone(table: string, since: string): DynamoCsvError {
  return new DynamoCsvError(
    'TABLE_GONE',
    `Table ${table} no longer exists (noticed at ${since}): this is the last data that was read`,
    { remedy: 'add it to exclude to remove it from here', status: 503 },
  );
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
