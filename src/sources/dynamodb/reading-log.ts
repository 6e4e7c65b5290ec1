import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Logger } from '../../base/logger.js';
import type { Column } from '../../csv/rows.js';
import { isTime } from './query/times.js';
import type { ReadScope } from './read-plan.js';
import { MOST_EXPANDED } from './run-encoder.js';
import { sampleAttributes } from './sample.js';
import type { ReadOptions, TableReading } from './table-reader.js';
import { describeUnseen, isPath, unseenNames } from './unseen-names.js';

/** What a reading found, apart from its rows. */
interface Findings extends Pick<TableReading, 'keys' | 'beyond' | 'tails'> {
  readonly columns: readonly Column[];
  /** The number of items. */
  readonly items: number;
}

/** How a reading came about. */
interface ReadingContext {
  /** Columns that the dataset had before. */
  readonly known: readonly Column[];
  readonly scope: ReadScope;
  readonly signal: AbortSignal;
}

/** Logs what a user should know about the readings of a table, once each. */
export class ReadingLog {
  readonly #options: ReadOptions;
  readonly #client: DynamoDBClient;
  readonly #logger: Logger;
  #hasToldUnseen = false;
  #hasToldFilter = false;
  #hasToldNoTime = false;
  readonly #toldBeyond = new Set<string>();

  constructor(options: ReadOptions, client: DynamoDBClient, logger: Logger) {
    this.#options = options;
    this.#client = client;
    this.#logger = logger;
  }

  /** Call after each reading. May read an item, for better guesses. */
  async about(found: Findings, context: ReadingContext): Promise<void> {
    await this.#unseenNames(found, context);
    this.#beyond(found);
    this.#filter(context.scope);
    this.#noTime(context.scope, found);
  }

  #filter({ filter }: ReadScope): void {
    if (filter === null || this.#hasToldFilter) return;
    this.#hasToldFilter = true;
    this.#logger.info(
      { table: this.#options.table, filter: filter.expression },
      'the filter saves transfer, not read units: DynamoDB bills the items that it leaves out too',
    );
  }

  /** Logs that `overlap` has no effect. */
  #noTime({ since }: ReadScope, { tails }: Findings): void {
    const newest = tails.find((tail) => tail.newest !== null)?.newest ?? null;
    if (since === null || newest === null || this.#hasToldNoTime || isTime(newest)) return;
    this.#hasToldNoTime = true;
    this.#logger.warn(
      { table: this.#options.table, attribute: since.attribute.name, newest },
      'the sort key named by since is not a time, so overlap has no effect: an item that appears after one with a later sort key is missed',
    );
  }

  /** Logs names in `columns` and `only` that no item has, once, as soon as there are items. */
  async #unseenNames(
    { columns, items, keys }: Findings,
    { known, scope, signal }: ReadingContext,
  ): Promise<void> {
    const { table } = this.#options;
    if (this.#hasToldUnseen || items === 0) return;
    this.#hasToldUnseen = true;
    const found = columns.filter(({ seen }) => seen);
    const earlier = known.filter(({ seen, declared }) => seen && declared !== true);
    const seen = [...keys, ...[...found, ...earlier].map(({ name }) => name)];
    const missing = unseenNames(this.#options, seen, []);
    if (missing.length === 0) return;
    // The columns do not have all names: reading a whole item for better guesses is worth half a read unit.
    const areNotAll = this.#options.only !== null || missing.some(({ name }) => isPath(name));
    const sampled = areNotAll ? sampleAttributes(this.#client, table, signal, scope) : Promise.resolve([]);
    const attributes = await sampled.catch(() => []);
    for (const unseen of unseenNames(this.#options, seen, attributes)) {
      this.#logger.warn({ table, column: unseen.name }, describeUnseen(unseen));
    }
  }

  /** Logs attributes that would make too many columns, once each. */
  #beyond({ beyond }: Findings): void {
    const { table } = this.#options;
    for (const attribute of beyond) {
      if (this.#toldBeyond.has(attribute)) continue;
      this.#toldBeyond.add(attribute);
      this.#logger.warn(
        { table, attribute },
        `expand: the values in ${attribute} would make the table wider than ${MOST_EXPANDED} columns of paths, so items with further ones have the whole attribute as JSON in the column ${attribute} too; list the paths that matter in columns, and leave expand out`,
      );
    }
  }
}
