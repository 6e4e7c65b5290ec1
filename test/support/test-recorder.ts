import { pino } from 'pino';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { TableRecorder } from '../../src/recorder/table-recorder.js';
import { nodeFiles } from '../../src/volume/files.js';

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
