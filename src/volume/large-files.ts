import { basename } from 'node:path';
import type { Logger } from '../base/logger.js';
import type { Files } from './files.js';

/** Bytes of a file from which a busy machine takes seconds to read it. */
const LARGE = 16 * 1_024 * 1_024;

/** Logs which of a dataset's files are large: reading them is what the start waits for. Missing files are fine. */
export async function logLargeFiles(
  paths: Iterable<string>,
  { dataset, files, logger }: { readonly dataset: string; readonly files: Files; readonly logger: Logger },
): Promise<void> {
  for (const path of paths) {
    const { size = 0 } = (await files.stat(path)) ?? {};
    if (size >= LARGE) logger.info({ dataset, file: basename(path), bytes: size }, 'reading a large file');
  }
}
