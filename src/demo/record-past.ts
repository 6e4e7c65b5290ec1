import { dirname, join } from 'node:path';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { encodeRows } from '../csv/encode.js';
import type { Cell, Column } from '../csv/rows.js';
import { PollHealth } from '../datasets/freshness.js';
import type { RecorderOptions } from '../recorder/recorder-options.js';
import { TableRecorder } from '../recorder/table-recorder.js';
import type { Reading } from '../sources/source.js';
import { nodeFiles } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import { demoFolderForeign } from './errors.js';
import { MemoryFiles } from './memory-files.js';
import type { PastPoll } from './past.js';
import type { Item } from './tables.js';

/** How a table's past is recorded: with the same options as the service will use. */
export interface PastTable
  extends Pick<
    RecorderOptions,
    'name' | 'source' | 'log' | 'logName' | 'changes' | 'configured' | 'timestampColumn'
  > {
  readonly rename: Readonly<Record<string, string>>;
}

/** The columns of each table with their types, the key first. */
const COLUMNS: Readonly<Record<PastPoll['table'], readonly Column[]>> = {
  'zone-count-dynamodb': columns({ zone_id: 'number', count: 'number' }),
  'pickup-zone-dynamodb': columns({ pickup_zone_id: 'number', count: 'number' }),
  'flag-dynamodb': columns({ counter_type: 'string', count: 'number' }),
  'taxi-destination-dynamodb': columns({ taxi_id: 'number', next_zone_id: 'number' }),
  'api-server': columns({
    instance_id: 'string',
    name: 'string',
    state: 'string',
    running: 'number',
    status_checks: 'string',
    cpu_utilization: 'number',
    network_in: 'number',
    network_out: 'number',
    measured_at: 'time',
  }),
};

const NO_COST = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/** Present while the past is being written; left behind by an interrupted start. */
const UNFINISHED = '.demo-past-unfinished';
/** Marks a folder made by the demo. */
const OURS = '.demo';
const OURS_TEXT = 'The data in this folder is made up: npm run demo made it, and goes on from it.\n';

/**
 * Whether the folder needs a past: it is empty, or writing its past was interrupted (the partial past is deleted).
 * Rejects with `DEMO_FOLDER_FOREIGN` when it holds data that the demo did not write.
 */
export async function isWithoutPast(dataDir: string): Promise<boolean> {
  const names = await nodeFiles.list(dataDir);
  if (names.length === 0) return true;
  if (!names.includes(UNFINISHED)) {
    if (!names.includes(OURS)) throw demoFolderForeign(dataDir);
    return false;
  }
  for (const name of names.filter((name) => name !== UNFINISHED))
    await nodeFiles.removeFolder(join(dataDir, name));
  return true;
}

/**
 * Writes past polls to an empty data folder with the service's own recorder. Records only tables named in `tables`.
 * Returns the number of polls.
 */
export async function recordPast(
  polls: Iterable<PastPoll>,
  options: {
    readonly dataDir: string;
    readonly tables: ReadonlyMap<PastPoll['table'], PastTable>;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { dataDir, tables, clock, logger, signal } = options;
  const files = new MemoryFiles();
  const recorders = new Map<PastPoll['table'], TableRecorder>();
  for (const [table, { rename: _, ...how }] of tables) {
    const health = new PollHealth(1, clock);
    recorders.set(table, await TableRecorder.open({ ...how, dataDir, files, health, logger }));
  }
  let count = 0;
  for (const { table, timestamp, items } of polls) {
    signal.throwIfAborted();
    const recorder = recorders.get(table);
    if (recorder === undefined) continue;
    const reading = toReading(table, items, tables.get(table)!.rename);
    const { problems } = await recorder.record(reading, timestamp);
    if (problems[0] !== undefined) throw problems[0];
    count += 1;
  }
  for (const recorder of recorders.values()) await recorder.close();
  await save(files, dataDir);
  return count;
}

async function save(files: MemoryFiles, dataDir: string): Promise<void> {
  const marker = join(dataDir, UNFINISHED);
  await nodeFiles.makeFolder(dataDir);
  await replaceFile(nodeFiles, marker, Buffer.alloc(0));
  for (const [path, content] of files.entries()) {
    await nodeFiles.makeFolder(dirname(path));
    await replaceFile(nodeFiles, path, content);
  }
  await replaceFile(nodeFiles, join(dataDir, OURS), Buffer.from(OURS_TEXT));
  await nodeFiles.remove(marker);
}

function toReading(table: PastPoll['table'], items: readonly Item[], rename: PastTable['rename']): Reading {
  const original = COLUMNS[table];
  const published = original.map((column) => ({ ...column, name: rename[column.name] ?? column.name }));
  const rows = items.map((item) =>
    original.map(({ name }): Cell => ((item[name] ?? null) === null ? null : String(item[name]))),
  );
  const keys = [published[0]!.name];
  return { kind: 'full', rows: encodeRows(published, rows), keys, position: null, cost: NO_COST };
}

function columns(types: Readonly<Record<string, Column['type']>>): Column[] {
  return Object.entries(types).map(([name, type]) => ({ name, type, seen: true }));
}
