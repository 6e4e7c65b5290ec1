import { basename, extname } from 'node:path';
import { systemClock } from './base/clock.js';
import { formatDuration } from './base/durations.js';
import { DynamoCsvError, describeError } from './base/errors.js';
import { createLogger } from './base/logger.js';
import { createCollectorDataset } from './collect/collector-dataset.js';
import { type CheckRow, formatCheckReport } from './config/check-report.js';
import type { Config } from './config/config.js';
import { recordingsOf } from './config/recording.js';
import type { InstancesConfig, TableConfig } from './config/tables.js';
import { displayPath } from './config/yaml-file.js';
import { decodeRow, rowAt } from './csv/decode.js';
import { openLookups } from './datasets/lookups.js';
import { DatasetRegistry } from './datasets/registry.js';
import { knownRelations } from './recorder/known-relations.js';
import { createDynamoDbClient, placeOf } from './sources/dynamodb/client.js';
import { describeTable, type TableDescription } from './sources/dynamodb/table.js';
import { metricsPerPoll } from './sources/ec2/measurements.js';
import { createInstancesSource } from './sources/ec2/source.js';
import { metricPrice, pollsPerMonth, readPrice, scanUnits } from './sources/prices.js';
import { Sql } from './sql/sql.js';
import type { ViewDataset } from './sql/view-dataset.js';

export interface Check {
  /** A table in plain text: what is polled and computed, what it costs, what is wrong. */
  readonly report: string;
  /** Whether everything is within reach and every view works. */
  readonly isRight: boolean;
}

/** How long AWS may take to answer, in milliseconds; a person is waiting. */
const PATIENCE = 20_000;

/**
 * `--check`: asks DynamoDB for each table and EC2 and CloudWatch for the instances, all at the same time, and runs every
 * view. Neither takes the volume's lock nor writes to it: a service may be running on it.
 */
export async function check(config: Config): Promise<Check> {
  const signal = AbortSignal.timeout(PATIENCE);
  const [views, ...polled] = await Promise.all([
    checkComputed(config),
    ...config.tables.map((table) => checkTable(table, signal)),
    ...(config.instances === null ? [] : [checkInstances(config.instances, signal)]),
  ]);
  const rows = [...polled, ...views];
  return {
    report: formatCheckReport(rows),
    isRight: rows.every(({ problem }) => problem === null || problem === NOT_RUN),
  };
}

async function checkTable(table: TableConfig, signal: AbortSignal): Promise<CheckRow> {
  const client = createDynamoDbClient({ region: table.region, endpoint: null });
  const row = { ...nothingKnown(table.name, `table ${table.table}`), interval: table.interval };
  try {
    const description = await describeTable(client, table.table, signal);
    const { region } = await placeOf(client, table.table);
    const { keys, items, bytes, billing } = description;
    const segments = table.segments === 'auto' ? 1 : table.segments;
    const unitsPerPoll = scanUnits(bytes, { consistent: table.consistent, segments });
    const perMonth = readPrice(unitsPerPoll * pollsPerMonth(table.interval), region);
    return {
      ...row,
      keys: keys.map(({ name, type }) => `${name} ${type}`).join(', '),
      items,
      bytes,
      unitsPerPoll,
      // What is provisioned is paid for, whether it is read or not.
      pricePerMonth: billing === 'provisioned' ? 0 : perMonth,
      problem: problemOf(table, description, unitsPerPoll),
    };
  } catch (error) {
    return { ...row, problem: signal.aborted ? noAnswer('DynamoDB') : describeError(error) };
  } finally {
    client.destroy();
  }
}

/** What will go wrong although the table can be described. */
function problemOf(table: TableConfig, { status, readCapacity }: TableDescription, units: number) {
  if (!['ACTIVE', 'UPDATING'].includes(status)) {
    return `the table is ${status} and cannot be read; wait until it is ACTIVE`;
  }
  const perSecond = Math.min(table.maxReadCapacity ?? Infinity, readCapacity ?? Infinity);
  const lasts = (units / perSecond) * 1_000;
  if (lasts <= table.interval) return null;
  const what = perSecond === table.maxReadCapacity ? 'maxReadCapacity' : 'the read capacity of the table';
  const duration = formatDuration(Math.ceil(lasts / 1_000) * 1_000);
  return `at ${perSecond} units a second, ${what}, a poll takes ${duration}; give it more, or write a longer interval`;
}

async function checkInstances(instances: InstancesConfig, signal: AbortSignal): Promise<CheckRow> {
  const source = createInstancesSource({ ...instances, clock: systemClock });
  const row = { ...nothingKnown(instances.name, 'instances'), interval: instances.interval, unitsPerPoll: 0 };
  try {
    const { rows, keys, problem = null } = await source.read({ known: [], signal });
    const found = Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index)));
    const missing = found.flatMap(([id, , state]) => (state === 'missing' ? [id] : []));
    // As if all of them ran: then CloudWatch is asked for their metrics.
    const metrics = metricsPerPoll(found.length - missing.length);
    const wrong =
      found.length === 0
        ? 'no instance matches; see ids, tags and regions under instances:'
        : missing.length > 0
          ? `there is no ${missing.join(', ')}; see ids and regions under instances:`
          : null;
    return {
      ...row,
      keys: keys.join(', '),
      items: found.length,
      pricePerMonth: metricPrice(metrics * pollsPerMonth(instances.interval)),
      problem: problem?.line ?? wrong,
    };
  } catch (error) {
    return { ...row, problem: signal.aborted ? noAnswer('EC2 or CloudWatch') : describeError(error) };
  } finally {
    await source.close();
  }
}

/**
 * Lookups are read and every view is run, on the columns that the volume's notes know, without rows. Copying what a
 * running service is writing would be neither quick nor quite safe; without rows the SQL meets every table, column and
 * type all the same. A view of a table that was never polled cannot be run yet, which is no mistake.
 */
async function checkComputed(config: Config): Promise<CheckRow[]> {
  const left: CheckRow[] = [];
  const logger = createLogger({ level: 'error', destination: { write: (line) => left.push(leftOut(line)) } });
  const registry = new DatasetRegistry();
  const sql = new Sql({ ...config, registry, clock: systemClock, logger });
  try {
    for (const recording of recordingsOf(config)) {
      for (const relation of await knownRelations(config.dataDir, recording)) registry.add(relation);
    }
    registry.add(createCollectorDataset({ sources: [], responseTimes: () => null, clock: systemClock }));
    const dir = config.lookupsDir;
    await openLookups({ dir, shown: displayPath(dir), registry, clock: systemClock, logger });
    const views = await sql.openViews(config.viewsDir, displayPath(config.viewsDir));
    const rows: CheckRow[] = [];
    for (const view of views) rows.push(await checkView(view));
    return [...rows, ...left];
  } finally {
    await sql.close();
  }
}

const NOT_RUN = 'not run yet: what it reads was never polled';

async function checkView(view: ViewDataset): Promise<CheckRow> {
  const row = nothingKnown(view.name, view.source);
  try {
    await view.sync();
    return row;
  } catch (error) {
    const isWaiting = error instanceof DynamoCsvError && error.code === 'DATASET_NOT_READ_YET';
    return { ...row, problem: isWaiting ? NOT_RUN : describeError(error) };
  }
}

/** A file that the service leaves out, as it says in its log. */
function leftOut(line: string): CheckRow {
  const { lookup, view, msg } = JSON.parse(line) as { lookup?: string; view?: string; msg: string };
  const file = lookup ?? view ?? '';
  return { ...nothingKnown(basename(file, extname(file)), file), problem: msg };
}

function noAnswer(who: string): string {
  return `${who} did not answer within ${formatDuration(PATIENCE)}; check the region and the network`;
}

function nothingKnown(dataset: string, source: string): CheckRow {
  return {
    dataset,
    source,
    keys: null,
    items: null,
    bytes: null,
    interval: null,
    unitsPerPoll: null,
    pricePerMonth: null,
    problem: null,
  };
}
