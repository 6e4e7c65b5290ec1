import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SerialQueue } from '../base/serial-queue.js';
import type { Condition, Node } from './conditions.js';
import { Facts } from './select-facts.js';
import { NOT_EXTRACTED, ONE_SELECT, readDuckDbError, SelectMistake } from './select-mistake.js';
import { withoutEnd } from './statement-end.js';

/** One SELECT, parsed. */
export interface ParsedSelect {
  /** As given, without trailing semicolons and comments. */
  readonly sql: string;
  /** Names of the tables that it reads, as written, each once; without those that its WITH defines. */
  readonly tables: readonly string[];
  /** Each reference to one of them. */
  readonly references: readonly TableReference[];
  /** Whether its result may change although its inputs do not. */
  readonly dependsOnNow: boolean;
}

/** A reference to a table in a FROM, and the conditions that every row used there meets. */
export interface TableReference {
  /** Folded, since DuckDB's names ignore case. */
  readonly table: string;
  /** The values are SQL. */
  readonly conditions: readonly Condition<string>[];
}

/** Characters of a syntax tree: 15,000 values in a list. Walking a larger one would block the event loop too long. */
const LARGEST_TREE = 2 << 20;

/** The maximum number of values returned for a SELECT's conditions: they only serve to find the days that it needs. */
const MOST_VALUES = 200;

/**
 * Parses SQL in a separate DuckDB without data, so that what is not allowed is refused before the real one sees it. The real
 * one is locked as well (no access outside, no settings), but that alone would let table functions and COPY read and write
 * the allowed folders.
 */
export class SelectParser {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** One at a time: parses waiting for the connection would each hold one of Node's worker threads. */
  readonly #queue = new SerialQueue();

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(): Promise<SelectParser> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '64MB' });
    const connection = await instance.connect();
    await connection.run('SET GLOBAL enable_external_access = false');
    await connection.run('SET GLOBAL lock_configuration = true');
    return new SelectParser(instance, connection);
  }

  /**
   * Parses a text.
   * Rejects with `SelectMistake` for bad syntax, for anything but exactly one SELECT, and for access outside the datasets.
   */
  async parse(text: string): Promise<ParsedSelect> {
    const tree = await this.#queue.run(() => this.#tree(text));
    const facts = new Facts(tree);
    const values = new Set(
      facts.references.flatMap(({ conditions }) => conditions.flatMap((condition) => condition.values)),
    );
    const written = await this.#queue.run(() => this.#write([...values].slice(0, MOST_VALUES)));
    return {
      sql: withoutEnd(text),
      tables: [...facts.tables].sort(),
      references: facts.references.map(({ table, conditions }) => ({
        table,
        conditions: conditions.flatMap((condition) => {
          const texts = condition.values.flatMap((value) => written.get(value) ?? []);
          return texts.length === condition.values.length ? [{ ...condition, values: texts }] : [];
        }),
      })),
      dependsOnNow: facts.dependsOnNow,
    };
  }

  /** Waits for running parses, then frees the database. */
  async close(): Promise<void> {
    await this.#queue.run(async () => {
      this.#connection.disconnectSync();
      this.#instance.closeSync();
    });
  }

  async #tree(text: string): Promise<unknown> {
    let count: number;
    try {
      count = (await this.#connection.extractStatements(text)).count;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // DuckDB reports no error for a text without a statement.
      if (!message.startsWith(NOT_EXTRACTED)) throw new SelectMistake('There is no SQL', ONE_SELECT);
      const { reason, position } = readDuckDbError(error);
      throw new SelectMistake(reason, null, position);
    }
    if (count > 1) throw new SelectMistake(`There are ${count} statements`, ONE_SELECT);
    const answer = JSON.parse(await this.#serialized(text)) as {
      readonly error: boolean;
      readonly error_message?: string;
      readonly statements?: readonly { readonly node: unknown }[];
    };
    const node = answer.statements?.[0]?.node;
    if (answer.error || node === undefined) {
      throw new SelectMistake(`It is not a SELECT that can be parsed (${answer.error_message})`, ONE_SELECT);
    }
    return node;
  }

  /** Expressions of a syntax tree as SQL again. */
  async #write(expressions: readonly Node[]): Promise<ReadonlyMap<Node, string>> {
    if (expressions.length === 0) return new Map();
    const selects = expressions.map((expression) => JSON.stringify(selectOf(expression), withoutPositions));
    const reader = await this.#connection.runAndReadAll(
      `SELECT json_deserialize_sql(CAST(tree AS JSON)) FROM
        (SELECT unnest(json_extract_string($1::VARCHAR, '$[*]')) AS tree)`,
      [JSON.stringify(selects)],
    );
    const written = reader.getRows().map(([select]) => String(select).slice('SELECT '.length));
    return new Map(expressions.map((expression, index) => [expression, written[index]!]));
  }

  async #serialized(text: string): Promise<string> {
    const tooLarge = new SelectMistake('It is too long', 'ask for less at a time');
    const reader = await this.#connection
      .runAndReadAll(
        `SELECT CASE WHEN strlen(tree) <= ${LARGEST_TREE} THEN tree END
         FROM (SELECT CAST(json_serialize_sql($1::VARCHAR) AS VARCHAR) AS tree)`,
        [text],
      )
      .catch((error: unknown) => {
        throw /Out of Memory/.test(String(error)) ? tooLarge : error;
      });
    const tree = reader.getRows()[0]?.[0];
    if (typeof tree !== 'string') throw tooLarge;
    return tree;
  }
}

/** The syntax tree of a SELECT of just one expression. */
function selectOf(expression: Node): unknown {
  const node = {
    type: 'SELECT_NODE',
    modifiers: [],
    cte_map: { map: [] },
    select_list: [expression],
    from_table: { type: 'EMPTY', alias: '', sample: null },
    where_clause: null,
    group_expressions: [],
    group_sets: [],
    aggregate_handling: 'STANDARD_HANDLING',
    having: null,
    sample: null,
    qualify: null,
  };
  return { error: false, statements: [{ node, named_param_map: [] }] };
}

/** An unknown position is a number too large for JavaScript, and DuckDB rejects it after a round trip through JSON. */
function withoutPositions(key: string, value: unknown): unknown {
  return key === 'query_location' ? undefined : value;
}
