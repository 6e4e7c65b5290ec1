import { isoTime } from '../base/clock.js';
import { readFirstRow } from '../volume/first-row.js';
import { csvFile, historyOf } from '../volume/layout.js';
import type { AppendedDataset } from './appended-dataset.js';
import { type AddedNames, chooseAddedNames } from './layout.js';
import type { RecorderOptions } from './recorder-options.js';
import type { TableState } from './table-state.js';

/** The added columns' names. They stay as long as recorded data uses them, whatever `timestampColumn` says now. */
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
    `the time column stays "${state.names.timestamp}", because recorded data uses it; to start over with "${wanted.timestamp}", stop the service and move ${inUse.join(' and ')} away`,
  );
  return state.names;
}

/** Logs a gap in the changes, and that the dataset is recorded from another source. */
export function warnAboutGap(
  { source, changes, comparedAt, readAt }: TableState,
  dataset: AppendedDataset | null,
  options: RecorderOptions,
): void {
  const { name, source: present, logger } = options;
  if (source !== present)
    logger.warn(
      { dataset: name, before: source, now: present },
      'this dataset is now recorded from another source',
    );
  if (changes || dataset === null || dataset.isEmpty) return;
  logger.warn(
    { dataset: dataset.name, from: timeOrNull(dataset.lastAt), to: timeOrNull(readAt) },
    comparedAt === readAt
      ? 'changes were off for a while: what changed in between is not among them'
      : 'changes were off for a while: the next poll is compared with the last poll whose changes were kept, so its changes span the gap',
  );
}

function timeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}
