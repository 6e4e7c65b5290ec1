import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../../base/clock.js';
import { DynamoCsvError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { ItemTime } from '../../csv/item-time.js';
import type { Deadlines } from '../aws/deadlines.js';
import type { OpenedSource, PollExpectation } from '../kind.js';
import type { Reading, Source } from '../source.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { readPrice, scanUnits } from './cost.js';
import { at, type TablePlace, tableNotActive } from './errors.js';
import { explainFailure } from './failures.js';
import { type Measured, measureQueries } from './query/measure.js';
import { planQueries } from './query/plan.js';
import { encodePosition } from './query/since.js';
import {
  indexNameOf,
  projectedBy,
  type Target,
  type TargetOptions,
  targetOf,
  WHOLE_TABLE,
} from './query/target.js';
import type { ReadScope } from './read-plan.js';
import { ReadingLog } from './reading-log.js';
import type { Role } from './role.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';
import { capacityFor, type ReadOptions, TableReader, type TableReading } from './table-reader.js';
import type { ScanThreads } from './threads.js';
import { tableTitle } from './title.js';

export interface DynamoDbSourceOptions extends ReadOptions, Partial<TargetOptions> {
  /** How the configuration names it: the key in `tables`; by default the table. */
  readonly entry?: string;
  /** AWS region; null: the SDK's default chain. */
  readonly region: string | null;
  /** The attribute that is the items' time, which is expected like `columns`. */
  readonly time?: ItemTime | null;
  /** Declared types by attribute or column name; the names are expected like `columns`. */
  readonly types?: Readonly<Record<string, unknown>>;
  /** Where large tables are read; one for all sources. */
  readonly threads: ScanThreads;
  /** Another endpoint than the SDK's default chain finds; null or absent: that one. */
  readonly endpoint?: string | null;
  /** A role to assume; null or absent: none. */
  readonly role?: Role | null;
  /** The time zone of dates in a query, by default UTC. */
  readonly timeZone?: string;
  /** Other deadlines than the usual; for tests. */
  readonly deadlines?: Deadlines;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A table cannot be deleted and created again, with another key, within this many milliseconds. */
const DESCRIPTION_FRESH = 10_000;
/** Milliseconds for which an older description is used if DescribeTable fails, since reads do not depend on it. */
const DESCRIPTION_USABLE = 3_600_000;

/** A DynamoDB table as a source, with what reading it costs. */
export type TableSource = Source & Required<Pick<OpenedSource, 'price' | 'expect'>>;

/**
 * A DynamoDB table as a source: each reading is a complete Scan of the table or of an index, or the result of Queries; with
 * `since` it has their new items only.
 */
export function createDynamoDbSource(options: DynamoDbSourceOptions): TableSource {
  return new DynamoDbSource(options);
}

const ON_DEMAND = { billing: 'on-demand', isInfrequentAccess: false } as const;

/** Bytes of items that one read unit reads when eventually consistent. */
const BYTES_PER_UNIT = 8_192;

/** What a poll of a table needs, by its description; of Queries by what was measured. */
export function expectationOf(
  description: TableDescription,
  options: Pick<ReadOptions, 'consistent' | 'segments' | 'maxReadCapacity' | 'capacityShare'>,
  region: string | null,
  measured: Measured | null = null,
): PollExpectation {
  const { items, bytes, billing } = description;
  const { consistent } = options;
  const segments = options.segments === 'auto' ? 1 : options.segments;
  const unitsPerPoll = measured?.units ?? scanUnits(bytes, { consistent, segments });
  return {
    items: measured?.items ?? items,
    bytes: measured === null ? bytes : unitsPerPoll * BYTES_PER_UNIT,
    unitsPerPoll,
    usdPerPoll: billing === 'provisioned' ? 0 : readPrice(unitsPerPoll, region, description),
    shortestInterval: shortestInterval(unitsPerPoll, options, description),
  };
}

/** Milliseconds that polls of so many units have to be apart to take no more of a capacity than they may. */
export function shortestInterval(
  units: number,
  options: Pick<ReadOptions, 'maxReadCapacity' | 'capacityShare'>,
  description: TableDescription,
): number {
  return Math.ceil((units / (capacityFor(options, description) ?? Infinity)) * 1_000);
}

class DynamoDbSource implements TableSource {
  readonly title: string;
  readonly #options: DynamoDbSourceOptions;
  readonly #target: TargetOptions;
  readonly #clock: Clock;
  readonly #client: DynamoDBClient;
  readonly #reader: TableReader;
  /** Null: nothing is logged. */
  readonly #log: ReadingLog | null;
  #description: { readonly value: TableDescription; readonly at: number } | null = null;
  /** How the table is billed, by its latest description. */
  #billing: Pick<TableDescription, 'billing' | 'isInfrequentAccess'> = ON_DEMAND;
  #region: string | null;
  /** What the last reading found: more up to date than a description that is hours old. */
  #observed = { items: 0, bytes: 0 };
  /** What of the table is read, by its description; nothing is known about Queries. */
  #expected: Pick<TableDescription, 'bytes' | 'readCapacity'> = { bytes: 0, readCapacity: null };
  /** When all read units taken so far are paid, in milliseconds since the epoch. */
  #paidAt = 0;

  constructor(options: DynamoDbSourceOptions) {
    const { region, endpoint = null, role = null, deadlines } = options;
    const client = { region, endpoint, role, ...(deadlines === undefined ? {} : { deadlines }) };
    this.#target = { ...WHOLE_TABLE, ...options };
    this.title = tableTitle(options.table);
    this.#options = options;
    this.#region = region;
    this.#clock = options.clock ?? systemClock;
    this.#client = createDynamoDbClient(client);
    this.#log = options.logger === undefined ? null : new ReadingLog(options, this.#client, options.logger);
    this.#reader = new TableReader(options, this.#client, client, options.threads, this.#clock);
  }

  async read(request: Parameters<Source['read']>[0]): Promise<Reading> {
    const described = this.#description !== null;
    try {
      return await this.#attempt(request);
    } catch (error) {
      const keyChanged = error instanceof DynamoCsvError && error.code === 'KEY_CHANGED';
      if (!keyChanged || !described) throw error;
    }
    // Deleted and created again with another key since it was described: read again with the new key.
    return this.#attempt(request);
  }

  /** Twice the time that the limits on reading the table imply for its size. */
  neededTime(): number {
    const { consistent } = this.#options;
    const { bytes, readCapacity } = this.#expected;
    const units = scanUnits(Math.max(bytes, this.#observed.bytes), { consistent });
    const allowed = capacityFor(this.#options, { readCapacity });
    const perSecond = Math.min(allowed ?? Infinity, readCapacity ?? Infinity);
    return 2 * ((units / perSecond) * 1_000 + Math.max(0, this.#paidAt - this.#clock.now()));
  }

  /** US dollars; 0 for a provisioned table, whose capacity is paid for whether it is read or not. */
  price({ readCapacityUnits }: Parameters<TableSource['price']>[0]): number {
    if (this.#billing.billing === 'provisioned') return 0;
    return readPrice(readCapacityUnits, this.#region, this.#billing);
  }

  async expect(signal: AbortSignal): Promise<PollExpectation> {
    const { table, consistent } = this.#options;
    const described = await describeTable(this.#client, table, signal);
    this.#region ??= (await placeOf(this.#client, table)).region;
    this.#billing = described;
    const target = await this.#targetIn(described);
    const scope = this.#scope(target, null);
    if (scope.queries === null) return expectationOf(target.description, this.#options, this.#region);
    const plan = { ...scope, table, consistent, totalSegments: 1, pageItems: null, attributes: null };
    const measured = await measureQueries(this.#client, plan, signal);
    return expectationOf(target.description, this.#options, this.#region, measured);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #attempt({ known, position = null, signal }: Parameters<Source['read']>[0]): Promise<Reading> {
    signal.throwIfAborted();
    try {
      const { description: table, requests } = await this.#described(signal);
      const target = await this.#targetIn(table);
      const scope = this.#scope(target, position);
      this.#expected = sizeOf(target, scope);
      const owed = Math.max(0, this.#paidAt - this.#clock.now());
      const { description } = target;
      const expectation = { scope, description, known, observed: this.#observed, owed };
      const reading = await this.#reader.read(expectation, signal);
      this.#paidAt = this.#clock.now() + reading.owed;
      const { rows, keys, mixed, beyond, tails } = reading;
      const items = rows.ends.length;
      this.#observed = { items, bytes: reading.cost.bytes };
      const found = { columns: rows.columns, items, keys, beyond, tails };
      await this.#log?.about(found, { known, scope, signal });
      const cost = {
        ...reading.cost,
        requests: reading.cost.requests + requests,
        attempts: reading.cost.attempts + requests,
      };
      return { ...outcomeOf(scope, reading), rows, keys, mixed, cost };
    } catch (thrown) {
      // An outdated description may be the cause, whatever the error.
      const wasDescribed = this.#description !== null;
      this.#description = null;
      signal.throwIfAborted();
      const place = await placeOf(this.#client, this.#options.table, indexNameOf(this.#target));
      const error = explainFailure(
        thrown,
        place,
        this.#target.query === null ? 'dynamodb:Scan' : 'dynamodb:Query',
      );
      throw wasDescribed ? await this.#withStatus(error, place, signal) : error;
    }
  }

  /** Checks the table's status: one that is not `ACTIVE` fails like one that does not exist or must not be read. */
  async #withStatus(error: DynamoCsvError, place: TablePlace, signal: AbortSignal): Promise<DynamoCsvError> {
    const isDenied = error.code === 'TABLE_ACCESS_DENIED';
    // DynamoDB has no error of its own for an index that is missing or not ready.
    const mayBeIndex = error.code === 'DYNAMODB_FAILED' && place.index != null;
    if (error.code !== 'TABLE_NOT_FOUND' && !isDenied && !mayBeIndex) return error;
    const described = await describeTable(this.#client, this.#options.table, signal).catch(() => null);
    if (described === null) return error;
    if (isReadable(described.status))
      return mayBeIndex ? this.#targetIn(described).then(() => error, asError) : error;
    return tableNotActive(place, described.status, isDenied ? error.message : null);
  }

  /** The table or index to read. Rejects if there is none, or if it cannot be read. */
  async #targetIn(description: TableDescription): Promise<Target> {
    const place = await placeOf(this.#client, this.#options.table);
    return targetOf(description, { ...this.#target, consistent: this.#options.consistent }, at(place));
  }

  #scope(target: Target, position: string | null): ReadScope {
    const { query, filter } = this.#target;
    const index = indexNameOf(this.#target);
    const projected = projectedBy(target);
    if (query === null) return { index, queries: null, since: null, filter, projected };
    const { entry, table, timeZone = 'UTC', logger } = this.#options;
    const moment = { now: this.#clock.now(), timeZone, position };
    const { queries, since, skipped } = planQueries(query, target, moment, `tables.${entry ?? table}.query`);
    if (skipped.length > 0)
      logger?.warn(
        { table, from: skipped[0], to: skipped.at(-1) },
        'too many days passed since the last reading: new items of these days are not read',
      );
    return { index, queries, since, filter, projected };
  }

  async #described(signal: AbortSignal): Promise<{ description: TableDescription; requests: number }> {
    const now = this.#clock.now();
    const known = this.#description;
    if (known !== null && now - known.at < DESCRIPTION_FRESH) {
      return { description: known.value, requests: 0 };
    }
    try {
      const value = await describeTable(this.#client, this.#options.table, signal);
      this.#description = { value, at: now };
      this.#billing = value;
      this.#region ??= (await placeOf(this.#client, this.#options.table)).region;
      return { description: value, requests: 1 };
    } catch (error) {
      const isGone = error instanceof DynamoCsvError && error.code === 'TABLE_NOT_FOUND';
      if (isGone || signal.aborted || known === null || now - known.at >= DESCRIPTION_USABLE) {
        this.#description = null;
        throw error;
      }
      return { description: known.value, requests: 1 };
    }
  }
}

function asError(error: unknown): DynamoCsvError {
  if (error instanceof DynamoCsvError) return error;
  throw error;
}

function sizeOf({ description }: Target, { queries }: ReadScope) {
  const { bytes, readCapacity } = description;
  return { bytes: queries === null ? bytes : 0, readCapacity };
}

/** A reading of new items continues where it ended. */
function outcomeOf(
  { index, since }: ReadScope,
  { tails }: TableReading,
): { readonly kind: 'full' | 'append'; readonly position: string | null } {
  if (since === null) return { kind: 'full', position: null };
  const position = encodePosition({ at: since.now, tails }, index, since.attribute.name);
  return { kind: 'append', position };
}
