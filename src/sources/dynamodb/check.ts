import { formatDuration } from '../../base/durations.js';
import { DynamoCsvError } from '../../base/errors.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { tableNotActive } from './errors.js';
import type { TableConfig } from './options.js';
import { sampleAttributes } from './sample.js';
import { expectationOf } from './source.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';
import { describeUnseen, unseenNames } from './unseen-names.js';

/**
 * `--check`: describes the table and reads one item, so that a denied Scan is found; that consumes half a read unit.
 * Rejects with a `DynamoCsvError`, or with the signal's reason.
 */
export async function checkTable(table: TableConfig, context: CheckContext): Promise<SourceCheck> {
  const { seen, capacityShare, signal } = context;
  const client = createDynamoDbClient({ region: table.region, endpoint: null });
  try {
    const description = await describeTable(client, table.table, signal);
    const place = await placeOf(client, table.table);
    const reading = isReadable(description.status)
      ? await sampleAttributes(client, table.table, signal).catch(failureOf)
      : tableNotActive(place, description.status, null);
    signal.throwIfAborted();
    const { keys, items, bytes } = description;
    const reads = { ...table, ...(capacityShare === undefined ? {} : { capacityShare }) };
    const { unitsPerPoll, usdPerPoll, shortestInterval } = expectationOf(description, reads, place.region);
    const isSlow = capacityShare === undefined ? tooSlow(table, description, unitsPerPoll) : null;
    return {
      keys: keys.map(({ name, type }) => `${name} ${type}`).join(', '),
      items,
      bytes,
      unitsPerPoll,
      pricePerMonth: usdPerPoll * pollsPerMonth(table.interval),
      ...(capacityShare === undefined ? {} : { shortestInterval }),
      problem: 'code' in reading ? reading.line : isSlow,
      notice: 'code' in reading ? null : noticeOf(table, description, seen, reading),
    };
  } finally {
    client.destroy();
  }
}

function failureOf(error: unknown): DynamoCsvError {
  if (error instanceof DynamoCsvError) return error;
  throw error;
}

/**
 * Names in `columns` and `only` that no item has. Before the first poll only one item is known: then only names that
 * resemble another one are reported.
 */
function noticeOf(
  table: TableConfig,
  { keys }: TableDescription,
  seen: readonly string[],
  attributes: readonly string[],
): string | null {
  const names = keys.map(({ name }) => name);
  const unseen = unseenNames(table, seen, [...names, ...attributes]);
  const told = seen.length > 0 ? unseen : unseen.filter(({ meant }) => meant !== null);
  return told.length === 0 ? null : told.map(describeUnseen).join('; ');
}

/** A table that can be read, but not within its interval. */
function tooSlow(table: TableConfig, { readCapacity }: TableDescription, units: number): string | null {
  const perSecond = Math.min(table.maxReadCapacity ?? Infinity, readCapacity ?? Infinity);
  const lasts = (units / perSecond) * 1_000;
  if (lasts <= table.interval) return null;
  const what = perSecond === table.maxReadCapacity ? 'maxReadCapacity' : 'the read capacity of the table';
  const duration = formatDuration(Math.ceil(lasts / 1_000) * 1_000);
  return `at ${perSecond} units a second, ${what}, a poll takes ${duration}; raise it, or write a longer interval`;
}
