import { basename, join } from 'node:path';
import { nodeFiles } from '../csv/files.js';
import type { TakeoverOptions } from '../csv/takeover.js';
import type { RecorderOptions } from '../datasets/recorder-options.js';

/** Bytes of a file from which a busy machine takes seconds to read it. */
const LARGE = 16 * 1_024 * 1_024;

type Opening = Pick<RecorderOptions, 'name' | 'logName' | 'dataDir' | 'logger'> & {
  readonly takeover: TakeoverOptions | null;
};

/** Says in the log what the start is going to wait for: the large files of one source. */
export async function sayWhatIsLarge({ name, logName, dataDir, takeover, logger }: Opening): Promise<void> {
  const names = [name, `${name}-changes`, ...(logName === undefined ? [] : [logName])];
  const paths = new Set(names.map((dataset) => join(dataDir, `${dataset}.csv`)));
  if (takeover?.scriptPath !== undefined) paths.add(takeover.scriptPath);
  for (const path of paths) {
    const { size = 0 } = (await nodeFiles.stat(path)) ?? {};
    if (size >= LARGE)
      logger.info({ dataset: name, file: basename(path), bytes: size }, 'reading a large file');
  }
}
