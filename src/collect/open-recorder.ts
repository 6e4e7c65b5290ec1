import { basename, join } from 'node:path';
import type { Logger } from '../base/logger.js';
import { nodeFiles } from '../csv/files.js';
import { type TakeoverOptions, takeOver } from '../csv/takeover.js';
import { type RecorderOptions, TableRecorder } from '../datasets/table-recorder.js';

/** Bytes of a file from which a busy machine takes seconds to read it: then the log says what the start waits for. */
const LARGE = 16 * 1_024 * 1_024;

interface OpenOptions extends Omit<RecorderOptions, 'files'> {
  /** The file that the Python script may have left; null: the script never wrote one of this source. */
  readonly takeover: TakeoverOptions | null;
}

/**
 * Opens what the volume has of a source; a file that the Python script left is taken over first. Call it with the
 * volume's lock held. Rejects when a file can be neither read nor put in order.
 */
export async function openRecorder(options: OpenOptions): Promise<TableRecorder> {
  const { takeover, ...rest } = options;
  await sayWhatIsLarge(options);
  if (takeover !== null) await takeOverFile(takeover, options.name, options.logger);
  return TableRecorder.open({ ...rest, files: nodeFiles });
}

async function sayWhatIsLarge({ name, logName, dataDir, takeover, logger }: OpenOptions): Promise<void> {
  const names = [name, `${name}-changes`, ...(logName === undefined ? [] : [logName])];
  const paths = new Set(names.map((dataset) => join(dataDir, `${dataset}.csv`)));
  if (takeover?.scriptPath !== undefined) paths.add(takeover.scriptPath);
  for (const path of paths) {
    const { size = 0 } = (await nodeFiles.stat(path)) ?? {};
    if (size >= LARGE)
      logger.info({ dataset: name, file: basename(path), bytes: size }, 'reading a large file');
  }
}

async function takeOverFile(takeover: TakeoverOptions, dataset: string, logger: Logger): Promise<void> {
  const taken = await takeOver(takeover, nodeFiles);
  if (taken === null) return;
  const { rows, timesConverted, keptAt, rejected, rejectedAt } = taken;
  logger.info({ dataset, rows, timesConverted, keptAt }, "took over the Python script's file");
  if (rejected > 0)
    logger.warn({ dataset, lines: rejected, keptAt: rejectedAt }, 'set lines apart that are no rows');
}
