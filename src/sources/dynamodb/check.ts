import { formatDuration } from '../../base/durations.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { readPrice, scanUnits } from './cost.js';
import type { TableConfig } from './options.js';
import { describeTable, type TableDescription } from './table.js';

/** `--check`: describes the table. Rejects with a `DynamoCsvError`, or with the signal's reason. */
export async function checkTable(table: TableConfig, { signal }: CheckContext): Promise<SourceCheck> {
  const client = createDynamoDbClient({ region: table.region, endpoint: null });
  try {
    const description = await describeTable(client, table.table, signal);
    const { region } = await placeOf(client, table.table);
    const { keys, items, bytes, billing } = description;
    const segments = table.segments === 'auto' ? 1 : table.segments;
    const unitsPerPoll = scanUnits(bytes, { consistent: table.consistent, segments });
    const perMonth = readPrice(unitsPerPoll * pollsPerMonth(table.interval), region);
    return {
      keys: keys.map(({ name, type }) => `${name} ${type}`).join(', '),
      items,
      bytes,
      unitsPerPoll,
      // Provisioned capacity is paid for whether it is read or not.
      pricePerMonth: billing === 'provisioned' ? 0 : perMonth,
      problem: problemOf(table, description, unitsPerPoll),
      notice: null,
    };
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
  return `at ${perSecond} units a second, ${what}, a poll takes ${duration}; raise it, or write a longer interval`;
}
