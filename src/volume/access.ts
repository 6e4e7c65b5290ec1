import { dirname } from 'node:path';
import { type DynamoCsvError, errorCode } from '../base/errors.js';
import { fileNotWritten, volumeNotFolder, volumeNotWritable } from './errors.js';
import type { Files } from './files.js';

/** The error of a failed write in words; where a right is missing it says who owns what and who we are. */
export async function explainWriteFailure(
  path: string,
  files: Files,
  error: unknown,
): Promise<DynamoCsvError> {
  const code = errorCode(error);
  if (code === 'ENOTDIR' || code === 'EEXIST') return volumeNotFolder(path, error);
  const { getuid, getgid } = process;
  if ((code !== 'EACCES' && code !== 'EPERM') || getuid === undefined || getgid === undefined) {
    return fileNotWritten(path, error);
  }
  for (let place = path; ; place = dirname(place)) {
    const state = await files.stat(place).catch(() => null);
    if (state !== null) {
      return volumeNotWritable({ ...state, path: place, ourUid: getuid(), ourGid: getgid() }, error);
    }
    if (place === dirname(place)) return fileNotWritten(path, error);
  }
}
