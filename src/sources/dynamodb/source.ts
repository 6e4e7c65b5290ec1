import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Clock, systemClock } from '../../base/clock.js';
import { DynamoCsvError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { ItemTime } from '../../csv/item-time.js';
import type { Column } from '../../csv/rows.js';
import type { Deadlines } from '../aws/deadlines.js';
import type { OpenedSource, PollExpectation } from '../kind.js';
import type { Reading, Source } from '../source.js';
import { createDynamoDbClient, placeOf } from './client.js';
import { readPrice, scanUnits } from './cost.js';
import { type TablePlace, tableNotActive } from './errors.js';
import { explainFailure } from './failures.js';
import { MOST_EXPANDED } from './run-encoder.js';
import { sampleAttributes } from './sample.js';
import { isReadable } from './status.js';
import { describeTable, type TableDescription } from './table.js';
import { capacityFor, type ReadOptions, TableReader, type TableReading } from './table-reader.js';
import type { ScanThreads } from './threads.js';
import { tableTitle } from './title.js';
import { describeUnseen, isPath, unseenNames } from './unseen-names.js';

export interface DynamoDbSourceOptions extends ReadOptions {
  /** AWS region; null: the SDK's default chain. */
  readonly region: string | null;
  /** The attribute that is the items' time, which is expected like `columns`. */
  readonly time?: ItemTime | null;
  /** Declared types by attribute or column name; the names are expected like `columns`. */
  readonly types?: Readonly<Record<string, unknown>>;
  /** Where large tables are read; one for all sources. */
  readonly threads: ScanThreads;
  /** Another endpoint than the SDK's default chain finds; for tests. */
  readonly endpoint?: string | null;
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

/** A DynamoDB table as a source: each reading is a complete Scan. */
export function createDynamoDbSource(options: DynamoDbSourceOptions): TableSource {
  return new DynamoDbSource(options);
}

const ON_DEMAND = { billing: 'on-demand', isInfrequentAccess: false } as const;

/** What a poll of a table needs, by its description. */
export function expectationOf(
  description: TableDescription,
  options: Pick<ReadOptions, 'consistent' | 'segments' | 'maxReadCapacity' | 'capacityShare'>,
  region: string | null,
): PollExpectation {
  const { items, bytes, billing } = description;
  const { consistent } = options;
  const segments = options.segments === 'auto' ? 1 : options.segments;
  const unitsPerPoll = scanUnits(bytes, { consistent, segments });
  const perSecond = capacityFor(options, description) ?? Infinity;
  return {
    items,
    bytes,
    unitsPerPoll,
    usdPerPoll: billing === 'provisioned' ? 0 : readPrice(unitsPerPoll, region, description),
    shortestInterval: Math.ceil((unitsPerPoll / perSecond) * 1_000),
  };
}

class DynamoDbSource implements TableSource {
  readonly title: string;
  readonly #options: DynamoDbSourceOptions;
  readonly #clock: Clock;
  readonly #client: DynamoDBClient;
  readonly #reader: TableReader;
  #description: { readonly value: TableDescription; readonly at: number } | null = null;
  /** How the table is billed, by its latest description. */
  #billing: Pick<TableDescription, 'billing' | 'isInfrequentAccess'> = ON_DEMAND;
  #region: string | null;
  /** What the last reading found: more up to date than a description that is hours old. */
  #observed = { items: 0, bytes: 0 };
  #hasToldUnseen = false;
  readonly #toldBeyond = new Set<string>();
  /** When all read units taken so far are paid, in milliseconds since the epoch. */
  #paidAt = 0;

  constructor(options: DynamoDbSourceOptions) {
    const { region, endpoint = null, deadlines } = options;
    const client = { region, endpoint, ...(deadlines === undefined ? {} : { deadlines }) };
    this.title = tableTitle(options.table);
    this.#options = options;
    this.#region = region;
    this.#clock = options.clock ?? systemClock;
    this.#client = createDynamoDbClient(client);
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
    const { bytes = 0, readCapacity = null } = this.#description?.value ?? {};
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
    const description = await describeTable(this.#client, this.#options.table, signal);
    this.#region ??= (await placeOf(this.#client, this.#options.table)).region;
    this.#billing = description;
    return expectationOf(description, this.#options, this.#region);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  async #attempt({ known, signal }: Parameters<Source['read']>[0]): Promise<Reading> {
    signal.throwIfAborted();
    try {
      const { description, requests } = await this.#described(signal);
      const owed = Math.max(0, this.#paidAt - this.#clock.now());
      const expectation = { description, known, observed: this.#observed, owed };
      const reading = await this.#reader.read(expectation, signal);
      this.#paidAt = this.#clock.now() + reading.owed;
      this.#observed = { items: reading.rows.ends.length, bytes: reading.cost.bytes };
      await this.#logUnseenNames(known, reading, signal);
      this.#logBeyond(reading);
      const cost = {
        ...reading.cost,
        requests: reading.cost.requests + requests,
        attempts: reading.cost.attempts + requests,
      };
      const { rows, keys, mixed } = reading;
      return { kind: 'full', rows, keys, mixed, position: null, cost };
    } catch (thrown) {
      // An outdated description may be the cause, whatever the error.
      const wasDescribed = this.#description !== null;
      this.#description = null;
      signal.throwIfAborted();
      const place = await placeOf(this.#client, this.#options.table);
      const error = explainFailure(thrown, place, 'dynamodb:Scan');
      throw wasDescribed ? await this.#withStatus(error, place, signal) : error;
    }
  }

  /** Checks the table's status: one that is not `ACTIVE` fails like one that does not exist or must not be read. */
  async #withStatus(error: DynamoCsvError, place: TablePlace, signal: AbortSignal): Promise<DynamoCsvError> {
    const isDenied = error.code === 'TABLE_ACCESS_DENIED';
    if (error.code !== 'TABLE_NOT_FOUND' && !isDenied) return error;
    const described = await describeTable(this.#client, this.#options.table, signal).catch(() => null);
    if (described === null || isReadable(described.status)) return error;
    return tableNotActive(place, described.status, isDenied ? error.message : null);
  }

  /** Logs names in `columns` and `only` that no item has, once, as soon as there are items. */
  async #logUnseenNames(
    known: readonly Column[],
    { rows, keys }: TableReading,
    signal: AbortSignal,
  ): Promise<void> {
    const { table, logger } = this.#options;
    if (this.#hasToldUnseen || logger === undefined || rows.ends.length === 0) return;
    this.#hasToldUnseen = true;
    const found = rows.columns.filter(({ seen }) => seen);
    const earlier = known.filter(({ seen, declared }) => seen && declared !== true);
    const seen = [...keys, ...[...found, ...earlier].map(({ name }) => name)];
    const missing = unseenNames(this.#options, seen, []);
    if (missing.length === 0) return;
    // The columns do not have all names: reading a whole item for better guesses is worth half a read unit.
    const areNotAll = this.#options.only !== null || missing.some(({ name }) => isPath(name));
    const attributes = areNotAll ? await sampleAttributes(this.#client, table, signal).catch(() => []) : [];
    for (const unseen of unseenNames(this.#options, seen, attributes)) {
      logger.warn({ table, column: unseen.name }, describeUnseen(unseen));
    }
  }

  /** Logs attributes that would make too many columns, once each. */
  #logBeyond({ beyond }: TableReading): void {
    const { table, logger } = this.#options;
    for (const attribute of beyond) {
      if (this.#toldBeyond.has(attribute)) continue;
      this.#toldBeyond.add(attribute);
      logger?.warn(
        { table, attribute },
        `expand: the values in ${attribute} would make the table wider than ${MOST_EXPANDED} columns of paths, so items with further ones have the whole attribute as JSON in the column ${attribute} too; list the paths that matter in columns, and leave expand out`,
      );
    }
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
