import { join } from 'node:path';
import { AppendedDataset } from './appended-dataset.js';
import { changesColumns, logColumns, TIMESTAMP } from './column-names.js';
import type { RecorderOptions } from './table-recorder.js';
import type { TableState } from './table-state.js';

/** What tells how a table's rows are laid out in its files. */
export type Layout = Pick<TableState, 'columns' | 'keys' | 'names'>;

/** Opens the log or the changes of a table; what an interruption left at the file's end is cut off, and said in the log. */
export async function openAppended(
  kind: 'log' | 'changes',
  { columns, keys, names }: Layout,
  options: RecorderOptions,
): Promise<AppendedDataset> {
  const { name, logName, source, dataDir, files, health, logger } = options;
  const published = kind === 'log' ? (logName ?? name) : `${name}-changes`;
  const known =
    names === null
      ? null
      : kind === 'log'
        ? logColumns(columns, names)
        : changesColumns(columns, keys.length, names);
  const { dataset, recovery } = await AppendedDataset.open({
    name: published,
    kind,
    source,
    description:
      kind === 'log'
        ? `Every poll of ${source}, with its time.`
        : `What was inserted, updated and deleted in ${source} from poll to poll.`,
    path: join(dataDir, `${published}.csv`),
    files,
    health,
    known,
    keys,
    timeColumn: names?.timestamp ?? TIMESTAMP,
  });
  if (recovery !== null) {
    logger.warn(
      { dataset: published, ...recovery },
      'cut off what an interruption left at the end of the file',
    );
  }
  return dataset;
}
