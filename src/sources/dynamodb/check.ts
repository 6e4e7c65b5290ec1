import { formatDuration } from '../../base/durations.js';
import { DynamoCsvError } from '../../base/errors.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { readPrice, scanUnits, streamPrice } from './cost.js';
import { tableNotActive } from './errors.js';
import type { TableConfig } from './options.js';
import { sampleAttributes } from './sample.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';
import { describeUnseen, unseenNames } from './unseen-names.js';

/**
 * `--check`: describes the table and reads one item, so that a denied Scan is found; that consumes half a read unit.
 * Rejects with a `DynamoCsvError`, or with the signal's reason.
 */
export async function checkTable(table: TableConfig, { seen, signal }: CheckContext): Promise<SourceCheck> {
  const client = createDynamoDbClient({ region: table.region, endpoint: null });
  try {
    const description = await describeTable(client, table.table, signal);
    const place = await placeOf(client, table.table);
    const reading = isReadable(description.status)
      ? await sampleAttributes(client, table.table, signal).catch(failureOf)
      : tableNotActive(place, description.status, null);
    signal.throwIfAborted();
    const { keys, items, bytes, billing } = description;
    const following = await checkedStream(table, description, signal);
    const segments = table.segments === 'auto' ? 1 : table.segments;
    const unitsPerPoll = scanUnits(bytes, { consistent: table.consistent, segments });
    const perMonth = readPrice(unitsPerPoll * pollsPerMonth(table.interval), place.region);
    const slow = following.shards === null ? tooSlow(table, description, unitsPerPoll) : null;
    return {
      keys: keys.map(({ name, type }) => `${name} ${type}`).join(', '),
      items,
      bytes,
      unitsPerPoll: following.shards === null ? unitsPerPoll : 0,
      // Provisioned capacity is paid for whether it is read or not.
      pricePerMonth: following.pricePerMonth ?? (billing === 'provisioned' ? 0 : perMonth),
      problem: 'code' in reading ? reading.line : (following.problem ?? slow),
      notice: 'code' in reading ? null : noticeOf(table, description, seen, reading),
    };
  } finally {
    client.destroy();
  }
}

/** What `--check` finds out about following a table's stream. */
interface CheckedStream {
  /** Open shards; null: the table is polled. */
  readonly shards: number | null;
  /** US dollars for one GetRecords request a second and shard. */
  readonly pricePerMonth: number | null;
  readonly problem: string | null;
}

const POLLED: CheckedStream = { shards: null, pricePerMonth: null, problem: null };

/** Lists the shards of the table's stream and reads from one, so that a denied action is found. */
async function checkedStream(
  table: TableConfig,
  { stream }: TableDescription,
  signal: AbortSignal,
): Promise<CheckedStream> {
  if (table.stream === false || (table.stream === 'auto' && stream === null)) return POLLED;
  const { checkStream } = await import('./streams/check.js');
  const checked = await checkStream(table, stream, signal);
  if (checked instanceof DynamoCsvError) return { ...POLLED, problem: checked.line };
  return { shards: checked, pricePerMonth: streamPrice(checked * pollsPerMonth(1_000)), problem: null };
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
