import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SerialQueue } from '../base/serial-queue.js';
import type { Condition, Node } from './conditions.js';
import { type DayWise, dayWiseIn, restOf } from './day-wise.js';
import { Functions } from './functions.js';
import { Facts } from './select-facts.js';
import { NOT_EXTRACTED, ONE_SELECT, readDuckDbError, SelectMistake } from './select-mistake.js';
import { selectNode } from './select-node.js';
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

/** A SELECT of which some parts are computed day by day (`DayWise`). All as SQL. */
export interface ParsedDayWise {
  readonly parts: readonly ParsedPart[];
  readonly whole: string;
  /** What the SELECT without its parts reads. */
  readonly references: readonly TableReference[];
}

/** See `DayWisePart`. */
export interface ParsedPart {
  readonly table: string;
  readonly day: string;
  readonly rest: string;
  readonly ofDays: string;
  readonly kept: string;
  readonly references: readonly TableReference[];
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
  #functions: Functions | null = null;

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
    return {
      sql: withoutEnd(text),
      tables: [...facts.tables].sort(),
      references: await this.#references(facts),
      dependsOnNow: facts.dependsOnNow,
    };
  }

  /** The parts of a parsed SELECT that are computed day by day; null: there are none. */
  async dayWise({ sql }: ParsedSelect): Promise<ParsedDayWise | null> {
    if (!/\bgroup\s+by\b/i.test(sql)) return null;
    const found = await this.#queue.run(async () => {
      this.#functions ??= await Functions.read(this.#connection);
      return dayWiseIn(await this.#tree(sql), this.#functions);
    });
    if (found === null) return null;
    const { parts, whole } = found;
    const texts = await this.#queue.run(() => this.#writeExactly(treesOf(found)));
    if (texts === null) return null;
    const parsed = parts.map(async ({ table, day, rest }, index): Promise<ParsedPart> => {
      const [ofRest, ofDays, kept] = texts.slice(1 + 3 * index) as [string, string, string];
      const references = await this.#references(new Facts(rest));
      const own = references.map((one) => (one.table === restOf(table) ? { ...one, table } : one));
      return { table, day, rest: ofRest, ofDays, kept, references: own };
    });
    return {
      parts: await Promise.all(parsed),
      whole: texts[0]!,
      references: await this.#references(new Facts(whole)),
    };
  }

  async #references({ references }: Facts): Promise<readonly TableReference[]> {
    const values = new Set(
      references.flatMap(({ conditions }) => conditions.flatMap((condition) => condition.values)),
    );
    const written = await this.#queue.run(() => this.#write([...values].slice(0, MOST_VALUES)));
    return references.map(({ table, conditions }) => ({
      table,
      conditions: conditions.flatMap((condition) => {
        const texts = condition.values.flatMap((value) => written.get(value) ?? []);
        return texts.length === condition.values.length ? [{ ...condition, values: texts }] : [];
      }),
    }));
  }

  /** Waits for running parses, then frees the database. */
  async close(): Promise<void> {
    await this.#queue.run(async () => {
      this.#connection.disconnectSync();
      this.#instance.closeSync();
    });
  }

  async #tree(text: string): Promise<Node> {
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
      readonly statements?: readonly { readonly node: Node }[];
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
    const selects = await this.#written(expressions.map(selectOf));
    const written = selects.map((select) => select.slice('SELECT '.length));
    return new Map(expressions.map((expression, index) => [expression, written[index]!]));
  }

  /** Syntax trees as SQL; null if one of them would be parsed as something else. */
  async #writeExactly(trees: readonly Node[]): Promise<readonly string[] | null> {
    const texts = await this.#written(trees.map(statementOf));
    for (const [index, text] of texts.entries()) {
      if (inOneForm(await this.#tree(text)) !== inOneForm(trees[index]!)) return null;
    }
    return texts;
  }

  async #written(statements: readonly unknown[]): Promise<readonly string[]> {
    const selects = statements.map((statement) => JSON.stringify(statement, withoutPositions));
    const reader = await this.#connection.runAndReadAll(
      `SELECT json_deserialize_sql(CAST(tree AS JSON)) FROM
        (SELECT unnest(json_extract_string($1::VARCHAR, '$[*]')) AS tree)`,
      [JSON.stringify(selects)],
    );
    return reader.getRows().map(([select]) => String(select));
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
  const nowhere = { type: 'EMPTY', alias: '', sample: null };
  return statementOf(selectNode([expression], nowhere, null));
}

function statementOf(node: unknown): unknown {
  return { error: false, statements: [{ node, named_param_map: [] }] };
}

function treesOf({ whole, parts }: DayWise): readonly Node[] {
  return [whole, ...parts.flatMap(({ rest, ofDays, kept }) => [rest, ofDays, kept])];
}

/** The same text for the same syntax tree, wherever it stands in a text. */
function inOneForm(tree: unknown): string {
  return JSON.stringify(tree, (key, value) => {
    if (key === 'query_location') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** An unknown position is a number too large for JavaScript, and DuckDB rejects it after a round trip through JSON. */
function withoutPositions(key: string, value: unknown): unknown {
  return key === 'query_location' ? undefined : value;
}
