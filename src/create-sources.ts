import type { Clock } from './base/clock.js';
import { Closing } from './base/closing.js';
import type { CollectorDatasetOptions } from './collect/collector-dataset.js';
import {
  COLLECTOR_LOG,
  COLLECTOR_LOG_COLUMNS,
  COLLECTOR_LOG_INTERVAL,
  createCollectorLogSource,
} from './collect/collector-log.js';
import type { Config } from './config/config.js';
import { type Recording, recordingOfInstances, recordingOfTable } from './config/recording.js';
import type { InstancesConfig, TableConfig } from './config/tables.js';
import type { Keeping } from './history/sealer.js';
import { createDynamoDbClient, placeOf } from './sources/dynamodb/client.js';
import { createDynamoDbSource } from './sources/dynamodb/source.js';
import { ScanThreads } from './sources/dynamodb/threads.js';
import type { Source } from './sources/source.js';
import type { TakeoverOptions } from './takeover/takeover.js';
import { csvFile } from './volume/layout.js';

/** A source as configured: what it reads, how often, and what is kept of it. */
export interface ConfiguredSource {
  readonly kind: 'table' | 'instances' | 'service';
  readonly source: Source;
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
  readonly recording: Recording;
  readonly keeping: Keeping;
  /** Where it is, for its price; null: not known. */
  readonly region: string | null;
  /** The file that the Python script may have left of it; null: the script never wrote one. */
  readonly takeover: TakeoverOptions | null;
}

export interface Sources {
  /** In the order of the catalogue. */
  readonly list: readonly ConfiguredSource[];
  close(): Promise<void>;
}

/** Days that the service's own log is kept: in its CSV file, and altogether. */
const COLLECTOR_LOG_KEEPING = { keep: 7, retention: 90 };

/** The service's own log, over the sources that are polled. */
export function collectorLog(options: CollectorDatasetOptions): ConfiguredSource {
  return {
    kind: 'service',
    source: createCollectorLogSource(options),
    interval: COLLECTOR_LOG_INTERVAL,
    recording: {
      name: COLLECTOR_LOG,
      log: true,
      changes: false,
      configured: COLLECTOR_LOG_COLUMNS,
      timestampColumn: null,
    },
    keeping: COLLECTOR_LOG_KEEPING,
    region: null,
    takeover: null,
  };
}

/** The sources of a configuration. Nothing is asked of AWS yet. This is where another kind of source is named. */
export async function createSources(config: Config, clock: Clock): Promise<Sources> {
  const threads = new ScanThreads();
  const list = [
    ...(await Promise.all(config.tables.map((table) => fromTable(table, config.dataDir, threads, clock)))),
    ...(config.instances === null ? [] : [await fromInstances(config.instances, clock)]),
  ];
  const closing = new Closing();
  closing.add(() => threads.close());
  for (const { source } of list) closing.add(() => source.close());
  return { list, close: () => closing.close() };
}

async function fromTable(
  table: TableConfig,
  dataDir: string,
  threads: ScanThreads,
  clock: Clock,
): Promise<ConfiguredSource> {
  return {
    kind: 'table',
    source: createDynamoDbSource({ ...table, threads, clock }),
    interval: table.interval,
    recording: recordingOfTable(table),
    keeping: table,
    region: await regionOf(table.region),
    takeover: {
      kind: table.log ? 'log' : 'snapshot',
      path: csvFile(dataDir, table.name),
      scriptPath: csvFile(dataDir, table.table),
      rename: table.rename,
      ...(table.timestampColumn === null ? {} : { timeColumn: table.timestampColumn }),
    },
  };
}

async function fromInstances(instances: InstancesConfig, clock: Clock): Promise<ConfiguredSource> {
  // Loaded only here: EC2's client alone takes 70 MB, and many watch tables only.
  const { createInstancesSource } = await import('./sources/ec2/source.js');
  return {
    kind: 'instances',
    source: createInstancesSource({ ...instances, clock }),
    interval: instances.interval,
    recording: recordingOfInstances(instances),
    keeping: instances,
    region: await regionOf(instances.regions[0] ?? null),
    takeover: null,
  };
}

/** The configured region, or the one that the SDK's own default chain finds. */
async function regionOf(configured: string | null): Promise<string | null> {
  if (configured !== null) return configured;
  const client = createDynamoDbClient({ region: null, endpoint: null });
  const { region } = await placeOf(client, '');
  client.destroy();
  return region;
}
