import { basename } from 'node:path';
import type { Logger } from '../base/logger.js';
import type { Files } from './files.js';

/** Size in bytes from which reading a file takes seconds on a busy machine. */
const LARGE = 16 * 1_024 * 1_024;

/** Logs which of a dataset's files are large, because the start waits for reading them. Missing files are skipped. */
export async function logLargeFiles(
  paths: Iterable<string>,
  { dataset, files, logger }: { readonly dataset: string; readonly files: Files; readonly logger: Logger },
): Promise<void> {
  for (const path of paths) {
    const { size = 0 } = (await files.stat(path)) ?? {};
    if (size >= LARGE) logger.info({ dataset, file: basename(path), bytes: size }, 'reading a large file');
  }
}
