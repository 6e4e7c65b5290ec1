import { dirname } from 'node:path';
import { type DynamoCsvError, errorCode } from '../base/errors.js';
import { fileNotWritten, volumeNotFolder, volumeNotWritable } from './errors.js';
import type { Files } from './files.js';
import { ownFolder } from './layout.js';

/** Explains a failed write; where a permission is missing, it names the owner and who we are. */
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
      const isOurs = place === path || place === dirname(path) ? await hasOwnFolder(place, files) : false;
      const owner = { ...state, path: place, wanted: path, isOurs, ourUid: getuid(), ourGid: getgid() };
      return volumeNotWritable(owner, error);
    }
    if (place === dirname(place)) return fileNotWritten(path, error);
  }
}

async function hasOwnFolder(place: string, files: Files): Promise<boolean> {
  return (await files.stat(ownFolder(place)).catch(() => null)) !== null;
}
