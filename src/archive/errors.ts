import { DynamoCsvError, describeError } from '../base/errors.js';
import { formatBytes } from '../base/sizes.js';
import type { ArchivedDay } from '../history/archived-days.js';
import { awsFailure, facts } from '../sources/aws/failures.js';
import { archiveFile, dayOfPath } from '../volume/layout.js';

/** S3 names the right region, or only that it is another one: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const WRONG_REGION: ReadonlySet<string> = new Set([
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'IllegalLocationConstraintException',
]);

/** A request to the archive that failed. `action`: as IAM names it, `s3:PutObject`; `place`: `s3://bucket/key`. */
export function archiveFailed(action: string, place: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  const failure = awsFailure(cause, {
    action,
    allow: (denied) => `allow ${denied} on the bucket and its objects (docs/iam.md)`,
    regionOption: 'archive.region',
  });
  if (failure !== null) {
    const remedy = failure.kind === 'throttled' ? 'set archive.every to a longer time' : failure.remedy;
    return new DynamoCsvError(failure.code, `${place}: ${failure.why}`, { remedy, cause });
  }
  const { name, reason } = facts(cause);
  if (WRONG_REGION.has(name)) {
    return new DynamoCsvError(
      'ARCHIVE_WRONG_REGION',
      `${place}: the bucket is in another region: ${reason}`,
      {
        remedy: 'set archive.region to the region of the bucket',
        cause,
      },
    );
  }
  if (name === 'NoSuchBucket') {
    return new DynamoCsvError('ARCHIVE_NO_BUCKET', `${place}: there is no such bucket: ${reason}`, {
      remedy: 'create the bucket, or correct archive.bucket and archive.region',
      cause,
    });
  }
  return new DynamoCsvError('ARCHIVE_REQUEST_FAILED', `${place}: ${name} ${reason}`, {
    remedy: 'a running service goes on without the archive and tries again; if it lasts, look at the bucket',
    cause,
  });
}

/** An object that does not hold what it was written with. */
export function objectDamaged(place: string, what: string): DynamoCsvError {
  return new DynamoCsvError('ARCHIVE_DAMAGED', `${place} is damaged: ${what}`, {
    remedy:
      'restore that object from a version of the bucket, or restore an earlier point (docs/recovery.md)',
  });
}

/** An object that a point names, and that is not there. */
export function objectMissing(place: string): DynamoCsvError {
  return new DynamoCsvError('ARCHIVE_DAMAGED', `${place} is missing`, {
    remedy:
      'restore that object from a version of the bucket, or restore an earlier point (docs/recovery.md)',
  });
}

/** The data folder and the archive hold different histories. */
export function otherHistory(dataDir: string, location: string, why: string): DynamoCsvError {
  return new DynamoCsvError(
    'ARCHIVE_OTHER_HISTORY',
    `The data folder ${dataDir} and the archive ${location} do not belong together: ${why}`,
    {
      remedy:
        'give one of them up: start with an empty data folder to go on from the archive, or name another archive.prefix to keep the folder',
    },
  );
}

/** The data folder belongs to another archive. `isThere`: whether there is a history at this place, too. */
export function otherArchive(
  dataDir: string,
  location: string,
  mark: { readonly archive: string; readonly location?: string | undefined },
  isThere: boolean,
): DynamoCsvError {
  const other = `the archive ${mark.location === undefined ? '' : `at ${mark.location} `}(${mark.archive})`;
  const rest = isThere
    ? 'start with an empty data folder to go on from this archive'
    : `remove ${archiveFile(dataDir)} to begin a new archive with this folder`;
  const here = isThere ? 'which has another history' : 'where there is none yet';
  return new DynamoCsvError(
    'ARCHIVE_OTHER_HISTORY',
    `The data folder ${dataDir} belongs to ${other}, and the configuration names ${location}, ${here}`,
    { remedy: `correct archive.bucket or archive.prefix, or ${rest}` },
  );
}

/** Another service writes to the archive. `holder`: as its lease names it. */
export function archiveHeld(location: string, holder: string): DynamoCsvError {
  return new DynamoCsvError('ARCHIVE_HELD', `Another service writes to ${location}: ${holder}`, {
    remedy: 'stop one of the two, or give them different values of archive.prefix',
  });
}

/** This service wrote to the archive, and another one does now. */
export function archiveLost(location: string, holder: string): DynamoCsvError {
  return new DynamoCsvError(
    'ARCHIVE_LOST',
    `Another service took over the archive ${location}: ${holder}; this one no longer writes to it`,
    { remedy: 'stop one of the two, and restart this one' },
  );
}

/** A sealed day that another service writes at the same time. */
export function archiveBusy(place: string): DynamoCsvError {
  return new DynamoCsvError('ARCHIVE_BUSY', `${place} is being written by another service`, {
    remedy: 'the service tries again; if it lasts, look for another service with the same archive.prefix',
  });
}

/** No point is early enough, or there is none at all. */
export function noSuchPoint(location: string, at: string | null): DynamoCsvError {
  const what = at === null ? 'nothing yet' : `nothing as old as ${at}`;
  return new DynamoCsvError('ARCHIVE_EMPTY', `The archive ${location} has ${what}`, {
    remedy: 'check archive.bucket and archive.prefix, or give a later time',
  });
}

/** The folder to restore into has something. `found`: one of its files, relative to it. */
export function restoreNotEmpty(folder: string, found: string): DynamoCsvError {
  return new DynamoCsvError('RESTORE_NOT_EMPTY', `The folder ${folder} is not empty: it has ${found}`, {
    remedy: 'name a folder that is empty or does not exist',
  });
}

/** A file that could not be written during a restore. */
export function notRestored(path: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  return new DynamoCsvError('RESTORE_FAILED', `Writing ${path} failed: ${describeError(cause)}`, {
    remedy: 'check the disk that holds it, then run the command again: it continues',
    cause,
  });
}

/** A day that a window or SQL needs, and that the archive did not give. */
export function dayNotFetched(day: ArchivedDay, cause: unknown): DynamoCsvError {
  const { code = '', message, remedy = null } = cause as Partial<DynamoCsvError>;
  const isLost = code === 'ARCHIVE_DAMAGED';
  return new DynamoCsvError('DAY_NOT_FETCHED', `The ${nameOf(day)} cannot be fetched: ${message ?? cause}`, {
    remedy:
      isLost && remedy !== null ? `ask for other days, or ${remedy}` : 'ask for other days, or again later',
    status: isLost ? 500 : 503,
    cause,
  });
}

/** An object that did not come within that many milliseconds. */
export function notFetchedInTime(place: string, limit: number): DynamoCsvError {
  return new DynamoCsvError(
    'ARCHIVE_REQUEST_FAILED',
    `${place}: it did not come within ${limit / 1_000} seconds`,
  );
}

/** Days that together have more bytes than the cache may have. */
export function cacheTooSmall(days: readonly ArchivedDay[], bytes: number, limit: number): DynamoCsvError {
  return new DynamoCsvError(
    'ARCHIVE_CACHE_TOO_SMALL',
    `${days.length} archived days are needed at once, the ${nameOf(days[0] as ArchivedDay)} among them: they have ${formatBytes(bytes)}, and archive.cache is ${formatBytes(limit)}`,
    { remedy: 'ask for fewer days, or set archive.cache to more', status: 400 },
  );
}

/** Days that could not be had in time: others hold what the cache has, or the archive is slow. */
export function cacheBusy(days: readonly ArchivedDay[], limit: number): DynamoCsvError {
  return new DynamoCsvError(
    'DAY_NOT_FETCHED',
    `${days.length} archived days did not come within ${limit / 1_000} seconds, the ${nameOf(days[0] as ArchivedDay)} among them`,
    { remedy: 'ask again: the days that came stay in the cache', status: 503 },
  );
}

function nameOf({ path }: ArchivedDay): string {
  const day = dayOfPath(path);
  return day === null ? `file ${path}` : `day ${day.date} of "${day.dataset}"`;
}
