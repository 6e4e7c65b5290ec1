import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';

/** Explains the system's error for a file that could not be written. Writing may be tried again later. */
export function fileNotWritten(path: string, cause: unknown): DynamoCsvError {
  if (cause instanceof DynamoCsvError) return cause;
  switch (errorCode(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DynamoCsvError('VOLUME_FULL', `There is no room to write ${path}`, {
        remedy: 'free space on that disk; writing resumes by itself',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new DynamoCsvError('VOLUME_NOT_WRITABLE', `This service may not write ${path}`, {
        remedy: 'give the user that runs it the right to write that file and its folder',
        cause,
      });
    case 'EROFS':
      return volumeReadOnly(path, cause);
    default:
      return new DynamoCsvError('VOLUME_WRITE_FAILED', `Writing ${path} failed: ${describeError(cause)}`, {
        remedy: 'check the disk that holds it',
        cause,
      });
  }
}

/** A path on a file system that is mounted read-only. */
export function volumeReadOnly(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('VOLUME_READ_ONLY', `${path} is on a file system that is mounted read-only`, {
    remedy: 'mount it writable (in Docker: a volume without `:ro`), or set DATA_DIR to another folder',
    cause,
  });
}

/** A file on the volume that exists but could not be read. */
export function fileNotRead(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('VOLUME_READ_FAILED', `Reading ${path} failed: ${describeError(cause)}`, {
    remedy: 'check the disk that holds it and the rights of that file',
    cause,
  });
}

/** The data folder, or its lock file, was replaced, and another service has locked the new one. */
export function volumeLost(path: string): DynamoCsvError {
  return new DynamoCsvError('VOLUME_LOST', `Another service took over the data folder ${path}`, {
    remedy: 'stop one of the two, and restart this one',
  });
}

/** A log that another program wrote to, or replaced, while this service has it open. */
export function logChangedOutside(path: string, what: string): DynamoCsvError {
  return new DynamoCsvError(
    'LOG_CHANGED_OUTSIDE',
    `Another program ${what} ${path} while this service writes it`,
    {
      remedy: 'stop that program, then restart this service: it takes the file as it is then',
    },
  );
}

/** The owner of a path, and this process's user; numeric ids of the system. */
export interface Ownership {
  /** The file or folder that cannot be written; perhaps one above `wanted`, which does not exist. */
  readonly path: string;
  /** The file or folder that should have been written. */
  readonly wanted: string;
  readonly isFile: boolean;
  /** Whether this service has used it as its data folder. */
  readonly isOurs: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, e.g. 0o755. */
  readonly mode: number;
  readonly ourUid: number;
  readonly ourGid: number;
}

/** A folder or file of the volume that this process's user may not write. */
export function volumeNotWritable(owner: Ownership, cause: unknown): DynamoCsvError {
  const { path, uid, gid, mode, ourUid, ourGid } = owner;
  const sentence =
    `${path} cannot be written: it belongs to ${uid}:${gid} with mode ${mode.toString(8)}, ` +
    `and this service runs as ${ourUid}:${ourGid}`;
  return new DynamoCsvError('VOLUME_NOT_WRITABLE', sentence, {
    remedy: `run ${commandToOwn(owner)} as root (for a mounted folder: on the host), or set DATA_DIR to another folder`,
    cause,
  });
}

/** The command that grants write access. Recursive only for the service's own folder: any other may be `/`, for example. */
function commandToOwn({ path, wanted, isFile, isOurs, uid, ourUid, ourGid }: Ownership): string {
  if (isOurs) return uid === ourUid ? `chmod -R u+rwX '${path}'` : `chown -R ${ourUid}:${ourGid} '${path}'`;
  if (!isFile) return `install -d -o ${ourUid} -g ${ourGid} '${wanted}'`;
  return uid === ourUid ? `chmod u+rw '${path}'` : `chown ${ourUid}:${ourGid} '${path}'`;
}

/** The data folder's path leads to or through something that is not a folder. */
export function volumeNotFolder(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'VOLUME_NOT_A_FOLDER',
    `${path} cannot be the data folder: a file is in the way`,
    {
      remedy: 'set DATA_DIR to a folder, or move that file away',
      cause,
    },
  );
}

/** Another service uses this volume. `holder` is what it wrote about itself, or null if that is unreadable. */
export function volumeHeld(
  path: string,
  holder: { readonly host: string; readonly pid: number; readonly since: string } | null,
): DynamoCsvError {
  const who =
    holder === null
      ? 'another process'
      : `process ${holder.pid} on host ${holder.host}, since ${holder.since}`;
  return new DynamoCsvError('VOLUME_HELD', `The data folder ${path} is in use by ${who}`, {
    remedy: 'stop that one first, or set DATA_DIR to another folder',
  });
}

/** The file system of the data folder has no locks, so nothing would prevent a second service. */
export function volumeNotLockable(path: string, cause: unknown): DynamoCsvError {
  return new DynamoCsvError(
    'VOLUME_NOT_LOCKABLE',
    `The file system of ${path} cannot lock a file: ${describeError(cause)}`,
    { remedy: 'use a local disk or a network file system with locks (NFS 4)', cause },
  );
}
