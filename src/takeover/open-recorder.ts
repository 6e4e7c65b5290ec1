import { basename } from 'node:path';
import type { AppendedWriter } from '../recorder/appended-writer.js';
import { openOrBroken } from '../recorder/broken-recorder.js';
import { moveNonFilesAside } from '../recorder/damage.js';
import type { Recorder } from '../recorder/recorder.js';
import { placesOf, type RecorderOptions } from '../recorder/recorder-options.js';
import { TableRecorder } from '../recorder/table-recorder.js';
import { namesWithState, stateFileOf } from '../recorder/table-state.js';
import { type Files, nodeFiles } from '../volume/files.js';
import { logLargeFiles } from '../volume/large-files.js';
import { csvFile } from '../volume/layout.js';
import { type TakeoverOptions, takeOver } from './takeover.js';

export interface OpenOptions extends Omit<RecorderOptions, 'files'> {
  /** By default those of the disk. */
  readonly files?: Files;
  /** The file that the Python script may have left; null: it left none. */
  readonly takeover: TakeoverOptions | null;
  /** Adds the sealed days to an opened log or to changes; absent: there are none. */
  readonly restore?: (dataset: AppendedWriter) => Promise<void>;
}

/**
 * Opens the recorder of a source; a file that the Python script left is taken over first. Call it with the volume's lock
 * held. Never rejects: a source whose files cannot be opened gets a recorder that reports the reason.
 */
export async function openRecorder(options: OpenOptions): Promise<Recorder> {
  const { takeover, restore, ...given } = options;
  const rest = { files: nodeFiles, ...given };
  const { name: dataset, files, logger } = rest;
  return openOrBroken(rest, async () => {
    await moveNonFilesAside(placesOf(options), rest);
    await logLargeFiles(pathsOf(options), { dataset, files, logger });
    if (takeover !== null) await takeOverFile(await knownTakeover(takeover, rest), rest);
    const recorder = await TableRecorder.open(rest);
    try {
      for (const dataset of [recorder.log, recorder.changes]) if (dataset !== null) await restore?.(dataset);
    } catch (error) {
      await recorder.close();
      throw error;
    }
    return recorder;
  });
}

/** The files that are read at the start. */
function pathsOf({
  name,
  logName,
  dataDir,
  takeover,
}: Pick<RecorderOptions, 'name' | 'logName' | 'dataDir'> & {
  readonly takeover: TakeoverOptions | null;
}): ReadonlySet<string> {
  const names = [name, `${name}-changes`, ...(logName === undefined ? [] : [logName])];
  const paths = names.map((dataset) => csvFile(dataDir, dataset));
  return new Set(takeover?.scriptPath === undefined ? paths : [...paths, takeover.scriptPath]);
}

/**
 * A file that this service wrote already has the published column names: renaming them again would mix up its columns.
 * And a file that it wrote under another name is not the script's.
 */
async function knownTakeover(
  { scriptPath, ...takeover }: TakeoverOptions,
  { dataDir, name, files }: Pick<RecorderOptions, 'dataDir' | 'name' | 'files'>,
): Promise<TakeoverOptions> {
  const named = await namesWithState(dataDir, files);
  if (!named.includes(name)) {
    const isOurs = scriptPath === undefined || named.includes(basename(scriptPath, '.csv'));
    return isOurs ? takeover : { ...takeover, scriptPath };
  }
  const state = await stateFileOf(dataDir, name, files).readIfOurs();
  const timeColumn = state?.names?.timestamp ?? takeover.timeColumn;
  return { kind: takeover.kind, path: takeover.path, ...(timeColumn === undefined ? {} : { timeColumn }) };
}

async function takeOverFile(
  takeover: TakeoverOptions,
  { name: dataset, files, logger }: Pick<RecorderOptions, 'name' | 'files' | 'logger'>,
): Promise<void> {
  const taken = await takeOver(takeover, files);
  if (taken === null) return;
  const { rows, timesConverted, keptAt, rejected, rejectedAt } = taken;
  logger.info({ dataset, rows, timesConverted, keptAt }, "took over the Python script's file");
  if (rejected > 0)
    logger.warn({ dataset, lines: rejected, keptAt: rejectedAt }, 'moved malformed lines aside');
}
