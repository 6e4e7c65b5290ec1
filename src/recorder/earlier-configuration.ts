import { isoTime } from '../base/clock.js';
import { readFirstRow } from '../volume/first-row.js';
import { csvFile, historyOf } from '../volume/layout.js';
import type { AppendedDataset } from './appended-dataset.js';
import { type AddedNames, chooseAddedNames } from './column-names.js';
import type { RecorderOptions } from './recorder-options.js';
import type { TableState } from './table-state.js';

/** The added columns' names, which stay as long as there is data that has them, whatever `timestampColumn` says now. */
export async function keptNames(
  state: TableState | null,
  options: RecorderOptions,
): Promise<AddedNames | null> {
  if (state === null || state.names === null) return null;
  const { name, timestampColumn, dataDir, files, logger } = options;
  const wanted = chooseAddedNames(state.columns, timestampColumn);
  if (wanted.timestamp === state.names.timestamp) return state.names;
  const inUse: string[] = [];
  for (const dataset of state.datasets) {
    const header = await readFirstRow(csvFile(dataDir, dataset), files);
    if (header?.at(-1) === state.names.timestamp) inUse.push(`${dataset}.csv`);
    if ((await files.list(historyOf(dataDir, dataset))).length > 0) inUse.push(`history/${dataset}`);
  }
  if (inUse.length === 0) return null;
  logger.warn(
    { dataset: name, column: state.names.timestamp, configured: wanted.timestamp, inUse },
    `the time column stays "${state.names.timestamp}", as the recorded data has it; to begin anew with "${wanted.timestamp}", stop the service and move ${inUse.join(' and ')} away`,
  );
  return state.names;
}

/** Says what of the past is not among the changes, and that another source goes on. */
export function warnAboutGap(
  { source, changes, comparedAt, readAt }: TableState,
  dataset: AppendedDataset | null,
  options: RecorderOptions,
): void {
  const { name, source: present, logger } = options;
  if (source !== present)
    logger.warn({ dataset: name, before: source, now: present }, 'another source goes on with this dataset');
  if (changes || dataset === null || dataset.isEmpty) return;
  logger.warn(
    { dataset: dataset.name, from: timeOrNull(dataset.lastAt), to: timeOrNull(readAt) },
    comparedAt === readAt
      ? 'changes were not kept for a while: what changed in between is not among them'
      : 'changes were not kept for a while: the next poll is compared with the last one before, and its changes span the time in between',
  );
}

function timeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}
