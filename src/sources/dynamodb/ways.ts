import { pollsPerMonth } from '../billing.js';
import type { ReadWay } from '../kind.js';
import { readPrice, scanUnits, streamPrice } from './cost.js';
import type { TableConfig } from './options.js';
import { indexNameOf } from './query/target.js';
import type { IndexDescription, TableDescription } from './table.js';

/** Milliseconds between two reads of a shard. */
const STREAM_INTERVAL = 1_000;

/** What a table's reading costs in each way that it allows. */
export interface WaysOptions {
  readonly table: TableConfig;
  readonly description: TableDescription;
  readonly region: string | null;
  /** Read units of one poll of the configured query; null: there is none. */
  readonly queryUnits: number | null;
}

/** The ways to read a table: its Scan, those of its indexes, the configured query, its stream. */
export function waysToRead(options: WaysOptions): readonly ReadWay[] {
  const { table, description, queryUnits } = options;
  const isFollowed = table.stream !== false && description.stream !== null;
  const scanned = table.query === null && !isFollowed ? indexNameOf(table) : undefined;
  const ways = [scanOf('Scan of the table', scanned === null, description.bytes, null, options)];
  for (const index of description.indexes) {
    if (index.kind === 'global' && table.consistent) continue;
    const note = noteOn(index, description);
    ways.push(scanOf(`Scan of index ${index.name}`, scanned === index.name, index.bytes, note, options));
  }
  if (queryUnits !== null) {
    const name = table.query?.index == null ? 'query' : `query of index ${table.query.index}`;
    const note = table.query?.since == null ? null : 'and what is new';
    ways.push(way(name, true, queryUnits, note, options));
  }
  if (description.stream !== null)
    ways.push({
      name: 'stream',
      isConfigured: isFollowed,
      unitsPerPoll: null,
      pricePerMonth: streamPrice(pollsPerMonth(STREAM_INTERVAL), options.region),
      note: `for each shard, read every ${STREAM_INTERVAL / 1000} s`,
    });
  return ways;
}

const NOT_COUNTED = 'size unknown: DynamoDB counts it about every six hours';

/** A Scan of so many bytes. DynamoDB reports 0 for a table that it has not counted yet. */
function scanOf(
  name: string,
  isConfigured: boolean,
  bytes: number,
  note: string | null,
  options: WaysOptions,
): ReadWay {
  const { table, description } = options;
  if (description.bytes === 0)
    return { name, isConfigured, unitsPerPoll: null, pricePerMonth: null, note: NOT_COUNTED };
  return way(name, isConfigured, scanUnits(bytes, { consistent: table.consistent }), note, options);
}

function way(
  name: string,
  isConfigured: boolean,
  units: number,
  note: string | null,
  { table, description, region }: WaysOptions,
): ReadWay {
  const price = readPrice(units * pollsPerMonth(table.interval), region, description);
  // Provisioned capacity is paid for whether it is read or not.
  const pricePerMonth = description.billing === 'provisioned' ? 0 : price;
  return { name, isConfigured, unitsPerPoll: units, pricePerMonth, note };
}

function noteOn(index: IndexDescription, { items }: TableDescription): string | null {
  const notes = [];
  if (index.items < items) notes.push(`${count(index.items)} of ${count(items)} items`);
  if (index.projected !== null) notes.push('not all attributes');
  return notes.length === 0 ? null : notes.join(', ');
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
