import { pino } from 'pino';
import { nodeFiles } from '../../src/csv/files.js';
import type { RecorderOptions } from '../../src/datasets/recorder-options.js';
import { TableRecorder } from '../../src/datasets/table-recorder.js';

/** Opens the recorder of a table that is kept as a snapshot only, with nothing configured, unless the options say otherwise. */
export function openTestRecorder(
  options: Pick<RecorderOptions, 'name' | 'dataDir' | 'health'> & Partial<RecorderOptions>,
): Promise<TableRecorder> {
  return TableRecorder.open({
    source: `DynamoDB table ${options.name}`,
    files: nodeFiles,
    logger: pino({ level: 'silent' }),
    log: false,
    changes: false,
    configured: [],
    timestampColumn: null,
    ...options,
  });
}
