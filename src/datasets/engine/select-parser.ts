import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { Turns } from '../../base/turns.js';
import { type Condition, conditionsIn, type Node } from './conditions.js';

/** One SELECT, understood. */
export interface Select {
  /** As given, without a semicolon at its end. */
  readonly sql: string;
  /** Tables that it reads, as written, each once; not those that it makes itself (WITH). */
  readonly tables: readonly string[];
  /** Where it reads them: one for each place. */
  readonly readings: readonly Reading[];
  /** Whether its answer may change although nothing that it reads does. */
  readonly dependsOnNow: boolean;
}

/** A place where a SELECT reads a table, and what every row of it has to pass that it uses there. */
export interface Reading {
  /** In small letters, as DuckDB's names do not mind case. */
  readonly table: string;
  /** The values are SQL. */
  readonly conditions: readonly Condition<string>[];
}

/** What is wrong with a text that should be one SELECT. */
export class SelectMistake extends Error {
  override readonly name = 'SelectMistake';
  readonly remedy: string | null;
  /** From 1; null where it cannot be told. */
  readonly place: Place | null;

  constructor(message: string, remedy: string | null = null, place: Place | null = null) {
    super(message);
    this.remedy = remedy;
    this.place = place;
  }
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Functions that give rows and touch nothing; all others (`read_csv`, `glob`, `duckdb_settings` …) reach outside. */
const TABLE_FUNCTIONS = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
  'repeat',
  'repeat_row',
]);

/** Functions about this process and not about data, or that take a text as SQL behind the parser's back. */
const REFUSED_FUNCTIONS =
  /^(json_serialize_plan|sleep_ms|current_setting|getenv|getvariable|nextval|currval|write_log|pg_|txid_|current_(database|schema|schemas|user|role|query|query_id|connection_id|transaction_id)|in_search_path|(session_)?user|parse_duckdb_log_message|add_parquet_key|query|query_table)/;

/** Written without brackets; the syntax tree has them as columns. */
const CLOCK_WORDS = ['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'];

/** Functions whose value changes by itself. */
const VOLATILE_FUNCTIONS = new Set([
  ...CLOCK_WORDS,
  'service_now',
  'now',
  'today',
  'get_current_time',
  'get_current_timestamp',
  'current_localtime',
  'current_localtimestamp',
  'transaction_timestamp',
  'random',
  'setseed',
  'uuid',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'age',
]);

const ONE_SELECT = 'write exactly one SELECT';

/** Characters of a syntax tree: 15,000 values in a list. Walking through more would hold the event loop too long. */
const LARGEST_TREE = 2 << 20;

/** Values that a SELECT's conditions compare with, up to which they are told; they are there to find some days with. */
const MOST_VALUES = 200;

/** How the package begins what DuckDB says about syntax. */
const NOT_EXTRACTED = 'Failed to extract statements: ';

/**
 * Takes SQL apart in a DuckDB of its own that has no data: what it must not do is refused before the real one sees it.
 * The real one's own locks (no access outside, no settings) stand behind this: they alone would let an allowed folder be
 * read and written by table functions and COPY.
 */
export class SelectParser {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  /** Texts that wait for the connection would each hold one of Node's worker threads. */
  readonly #turns = new Turns();

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
   * Takes a text apart.
   * Rejects with `SelectMistake`: bad syntax, more or less than one SELECT, something that reaches outside.
   */
  async parse(text: string): Promise<Select> {
    const tree = await this.#turns.run(() => this.#tree(text));
    const facts = new Facts();
    facts.read(tree, NO_NAMES);
    const values = new Set(
      facts.readings.flatMap(({ conditions }) => conditions.flatMap((condition) => condition.values)),
    );
    const written = await this.#turns.run(() => this.#write([...values].slice(0, MOST_VALUES)));
    return {
      sql: text.replace(/[;\s]+$/, ''),
      tables: [...facts.tables].sort(),
      readings: facts.readings.map(({ table, conditions }) => ({
        table,
        conditions: conditions.flatMap((condition) => {
          const texts = condition.values.flatMap((value) => written.get(value) ?? []);
          return texts.length === condition.values.length ? [{ ...condition, values: texts }] : [];
        }),
      })),
      dependsOnNow: facts.dependsOnNow,
    };
  }

  /** What is asked before is still answered. */
  async close(): Promise<void> {
    await this.#turns.run(async () => {
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
      // Of a text without any statement DuckDB says nothing at all, and the package has no words of its own.
      if (!message.startsWith(NOT_EXTRACTED)) throw new SelectMistake('There is no SQL', ONE_SELECT);
      const { reason, place } = readDuckDbError(error);
      throw new SelectMistake(reason, null, place);
    }
    if (count > 1) throw new SelectMistake(`There are ${count} statements`, ONE_SELECT);
    const answer = JSON.parse(await this.#serialized(text)) as {
      readonly error: boolean;
      readonly error_message?: string;
      readonly statements?: readonly { readonly node: unknown }[];
    };
    const node = answer.statements?.[0]?.node;
    if (answer.error || node === undefined) {
      throw new SelectMistake(
        `It is no SELECT that can be taken apart (${answer.error_message})`,
        ONE_SELECT,
      );
    }
    return node;
  }

  /** Expressions of a syntax tree as SQL again. */
  async #write(expressions: readonly Node[]): Promise<ReadonlyMap<Node, string>> {
    if (expressions.length === 0) return new Map();
    const selects = expressions.map((expression) => JSON.stringify(selectOf(expression), withoutPlaces));
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

/** Names that WITH made, where they hold; in small letters, as DuckDB's names do not mind case. */
type Names = ReadonlySet<string>;

const NO_NAMES: Names = new Set();

type Ctes = { readonly map: readonly { readonly key: string; readonly value: unknown }[] };

/** Walks a syntax tree: refuses what reaches outside the datasets, notes what it reads and what depends on the time. */
class Facts {
  readonly tables = new Set<string>();
  readonly readings: { readonly table: string; readonly conditions: readonly Condition<Node>[] }[] = [];
  dependsOnNow = false;
  readonly #conditions = new Map<Node, readonly Condition<Node>[]>();

  read(node: unknown, names: Names): void {
    if (Array.isArray(node)) for (const child of node) this.read(child, names);
    else if (typeof node === 'object' && node !== null) this.#readNode(node as Node, names);
  }

  #readNode(node: Node, names: Names): void {
    if ('function_name' in node) this.#readFunction(String(node.function_name).toLowerCase());
    switch (node.type) {
      case 'SELECT_NODE':
        for (const [table, conditions] of conditionsIn(node)) this.#conditions.set(table, conditions);
        break;
      case 'COLUMN_REF':
        this.#readColumn(node);
        break;
      case 'VALUE_PARAMETER':
        throw new SelectMistake('It has a parameter', 'write the value itself');
      case 'SHOW_REF':
        throw new SelectMistake('DESCRIBE, SHOW and SUMMARIZE are no SELECT', ONE_SELECT);
      case 'TABLE_FUNCTION':
        this.#readTableFunction(node);
        break;
      case 'BASE_TABLE':
        this.#readTable(node, names);
        break;
    }
    const inside = this.#readWith(node, names);
    for (const [key, child] of Object.entries(node)) {
      // The part of a recursive WITH that is repeated may read itself, and only that part.
      if (key === 'right' && node.type === 'RECURSIVE_CTE_NODE')
        this.read(child, plus(inside, String(node.cte_name)));
      else if (key !== 'cte_map') this.read(child, inside);
    }
  }

  /** Reads what WITH makes, each part with the names before it; returns the names that hold behind it. */
  #readWith({ cte_map: ctes }: Node, names: Names): Names {
    let inside = names;
    for (const { key, value } of (ctes as Ctes | undefined)?.map ?? []) {
      this.read(value, inside);
      inside = plus(inside, key);
    }
    return inside;
  }

  #readColumn({ column_names: names }: Node): void {
    const [name, ...more] = names as readonly string[];
    if (more.length === 0 && CLOCK_WORDS.includes(String(name).toLowerCase())) this.dependsOnNow = true;
  }

  #readFunction(name: string): void {
    if (REFUSED_FUNCTIONS.test(name)) {
      throw new SelectMistake(`The function ${name} is not about the datasets`, 'leave it out');
    }
    if (VOLATILE_FUNCTIONS.has(name)) this.dependsOnNow = true;
  }

  #readTableFunction(node: Node): void {
    const name = String(
      (node.function as { function_name?: string } | undefined)?.function_name,
    ).toLowerCase();
    if (TABLE_FUNCTIONS.has(name)) return;
    throw new SelectMistake(
      `${name}() cannot be read from`,
      'read datasets, by their names in double quotes',
    );
  }

  #readTable(node: Node, names: Names): void {
    const { catalog_name: catalog, schema_name: schema, table_name: table } = node;
    if (catalog || schema) {
      throw new SelectMistake(
        `${[catalog, schema, table].filter(Boolean).join('.')} is no dataset`,
        'write its name in double quotes, without anything before it',
      );
    }
    const name = String(table).toLowerCase();
    if (names.has(name)) return;
    this.tables.add(String(table));
    this.readings.push({ table: name, conditions: this.#conditions.get(node) ?? [] });
  }
}

/** The syntax tree of a SELECT with nothing in it but an expression. */
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

/** Where no place in a text is known, DuckDB writes a number that JavaScript cannot hold, and refuses what it makes of it. */
function withoutPlaces(key: string, value: unknown): unknown {
  return key === 'query_location' ? undefined : value;
}

function plus(names: Names, name: string): Names {
  return new Set([...names, name.toLowerCase()]);
}

/** DuckDB's error without its drawing: `Binder Error: column "a" not found … LINE 3: … ^`. */
export function readDuckDbError(error: unknown): { readonly reason: string; readonly place: Place | null } {
  const text = (error instanceof Error ? error.message : String(error)).replace(NOT_EXTRACTED, '');
  const drawing = /\n\nLINE (\d+): (.*)\n( *)\^/.exec(text);
  const reason = (drawing === null ? text : text.slice(0, drawing.index)).replace(/\s+/g, ' ').trim();
  if (drawing === null) return { reason, place: null };
  const prefix = `LINE ${drawing[1]}: `.length;
  return {
    reason,
    place: { line: Number(drawing[1]), column: Math.max(1, drawing[3]!.length - prefix + 1) },
  };
}
