import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { formatDuration } from '../../base/durations.js';
import { DynamoCsvError } from '../../base/errors.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { readPrice, scanUnits, streamPrice } from './cost.js';
import { at, type TablePlace, tableNotActive } from './errors.js';
import type { TableConfig } from './options.js';
import { type Measured, measureQueries } from './query/measure.js';
import { planQueries } from './query/plan.js';
import { indexNameOf, projectedBy, targetOf } from './query/target.js';
import { sampleAttributes } from './sample.js';
import { shortestInterval } from './source.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';
import { describeUnseen, unseenNames } from './unseen-names.js';
import { waysToRead } from './ways.js';

/**
 * `--check`: describes the table and reads one item of it, so that a denied Scan is found; that consumes half a read unit.
 * Of a query it counts the items, a page of each Query. Rejects with a `DynamoCsvError`, or with the signal's reason.
 */
export async function checkTable(table: TableConfig, context: CheckContext): Promise<SourceCheck> {
  const { region, endpoint, role } = table;
  const client = createDynamoDbClient({ region, endpoint, role });
  try {
    const description = await describeTable(client, table.table, context.signal);
    const place = await placeOf(client, table.table);
    if (!isReadable(description.status))
      return facts(table, description, place, tableNotActive(place, description.status, null), context);
    const reading = await tryReading(client, table, description, place, context).catch(failureOf);
    context.signal.throwIfAborted();
    const found = facts(table, description, place, reading, context);
    return withStream(found, await checkedStream(table, description, place, context.signal), reading);
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

/** The findings about a table whose stream is followed: it is scanned at the start only. */
function withStream(
  found: SourceCheck,
  { shards, pricePerMonth, problem }: CheckedStream,
  reading: Tried | DynamoCsvError,
): SourceCheck {
  if (shards === null) return { ...found, problem: found.problem ?? problem };
  const failed = reading instanceof DynamoCsvError ? reading.line : null;
  return { ...found, unitsPerPoll: 0, pricePerMonth, problem: failed };
}

/** Lists the shards of the table's stream and reads from one, so that a denied action is found. */
async function checkedStream(
  table: TableConfig,
  { stream }: TableDescription,
  { region }: TablePlace,
  signal: AbortSignal,
): Promise<CheckedStream> {
  if (table.stream === false || (table.stream === 'auto' && stream === null)) return POLLED;
  const { checkStream } = await import('./streams/check.js');
  const checked = await checkStream(table, stream, signal);
  if (checked instanceof DynamoCsvError) return { ...POLLED, problem: checked.line };
  return {
    shards: checked,
    pricePerMonth: streamPrice(checked * pollsPerMonth(1_000), region),
    problem: null,
  };
}

/** What reading a table the configured way showed. */
interface Tried {
  /** The description of what is read: of the index, if there is one. */
  readonly description: TableDescription;
  /** Names of attributes that items have. */
  readonly attributes: readonly string[];
  /** Null: it is scanned. */
  readonly query: Measured | null;
}

async function tryReading(
  client: DynamoDBClient,
  table: TableConfig,
  described: TableDescription,
  place: TablePlace,
  { clock, timeZone, signal }: CheckContext,
): Promise<Tried> {
  const target = targetOf(described, table, at(place));
  const { description } = target;
  const index = indexNameOf(table);
  const projected = projectedBy(target);
  const scan = { index, queries: null, since: null, filter: table.filter, projected };
  if (table.query === null) {
    const attributes = await sampleAttributes(client, table.table, signal, scan);
    return { description, attributes, query: null };
  }
  const moment = { now: clock.now(), timeZone, position: null };
  const { queries, since } = planQueries(table.query, target, moment, `tables.${table.entry}.query`);
  const scope = { ...scan, queries, since };
  const attributes = await sampleAttributes(client, table.table, signal, scope);
  const { consistent } = table;
  const common = {
    table: table.table,
    totalSegments: queries.length,
    consistent,
    pageItems: null,
    attributes: null,
  };
  return { description, attributes, query: await measureQueries(client, { ...scope, ...common }, signal) };
}

function facts(
  table: TableConfig,
  described: TableDescription,
  { region }: TablePlace,
  tried: Tried | DynamoCsvError,
  { seen, capacityShare }: CheckContext,
): SourceCheck {
  const failed = tried instanceof DynamoCsvError ? tried : null;
  const { description, query, attributes } = tried instanceof DynamoCsvError ? untried(described) : tried;
  const { keys, items, bytes, billing } = description;
  const segments = table.segments === 'auto' ? 1 : table.segments;
  const unitsPerPoll = query?.units ?? scanUnits(bytes, { consistent: table.consistent, segments });
  const perMonth = readPrice(unitsPerPoll * pollsPerMonth(table.interval), region, description);
  // With a budget the interval follows from the capacity.
  const isSlow = capacityShare === undefined ? tooSlow(table, description, unitsPerPoll) : null;
  const ways = { table, description: described, region, queryUnits: query?.units ?? null };
  return {
    keys: keys.map(({ name, type }) => `${name} ${type}`).join(', '),
    items: query?.items ?? items,
    bytes: query === null ? bytes : null,
    unitsPerPoll,
    // Provisioned capacity is paid for whether it is read or not.
    pricePerMonth: billing === 'provisioned' ? 0 : perMonth,
    ...(capacityShare === undefined
      ? {}
      : { shortestInterval: shortestInterval(unitsPerPoll, { ...table, capacityShare }, described) }),
    problem: failed === null ? isSlow : failed.line,
    notice: failed === null ? noticeOf(table, description, seen, attributes, query) : null,
    ...(failed === null ? { ways: waysToRead(ways) } : {}),
  };
}

function untried(description: TableDescription): Tried {
  return { description, attributes: [], query: null };
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
  query: Measured | null,
): string | null {
  const names = keys.map(({ name }) => name);
  const unseen = unseenNames(table, seen, [...names, ...attributes]);
  const told = seen.length > 0 ? unseen : unseen.filter(({ meant }) => meant !== null);
  const notices = told.map(describeUnseen);
  if (query?.isLeast === true) notices.push('the query reads more than was measured: units are estimated');
  return notices.length === 0 ? null : notices.join('; ');
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
