import { metricsPerPoll } from './api-server/measurements.js';
import { createInstancesSource } from './api-server/source.js';
import { systemClock } from './base/clock.js';
import { formatDuration } from './base/durations.js';
import { describeError } from './base/errors.js';
import { metricPrice, pollsPerMonth, readPrice, scanUnits } from './base/prices.js';
import { type CheckRow, formatCheckReport } from './config/check-report.js';
import type { Config, InstancesConfig, TableConfig } from './config/config.js';
import { decodeRow, rowAt } from './csv/decode.js';
import { createDynamoDbClient, placeOf } from './dynamodb/client.js';
import { describeTable, type TableDescription } from './dynamodb/table.js';

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
  const polled = await Promise.all([
    ...config.tables.map((table) => checkTable(table, signal)),
    ...(config.instances === null ? [] : [checkInstances(config.instances, signal)]),
  ]);
  return { report: formatCheckReport(polled), isRight: polled.every(({ problem }) => problem === null) };
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
