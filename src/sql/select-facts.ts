import { folded } from '../windows/compile/sql-text.js';
import { type Condition, conditionsIn, type Node } from './conditions.js';
import { ONE_SELECT, SelectMistake } from './select-mistake.js';

/** Table functions that are allowed: they only generate rows. All others (`read_csv`, `glob`, `duckdb_settings` …) reach outside. */
const TABLE_FUNCTIONS = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
  'repeat',
  'repeat_row',
]);

/** Functions that reveal something about this process, or that run a text as SQL and so bypass this parser. */
const REFUSED_FUNCTIONS =
  /^(json_serialize_plan|sleep_ms|current_setting|getenv|getvariable|nextval|currval|write_log|pg_|txid_|current_(catalog|database|schema|schemas|user|role|query|query_id|connection_id|transaction_id)|in_search_path|(session_)?user|parse_duckdb_log_message|add_parquet_key|query|query_table)/;

/** Functions called without parentheses, which the syntax tree shows as columns. */
const CLOCK_WORDS = ['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'];

/** Functions whose value changes although their arguments do not. */
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
  'ago',
]);

/** Names that WITH defines, folded, where they are in scope. */
type Names = ReadonlySet<string>;

const NO_NAMES: Names = new Set();

type Ctes = { readonly map: readonly { readonly key: string; readonly value: unknown }[] };

/** Walks a syntax tree: refuses what reaches outside the datasets, records which tables it reads and whether it depends on the time. */
export class Facts {
  readonly tables = new Set<string>();
  readonly references: { readonly table: string; readonly conditions: readonly Condition<Node>[] }[] = [];
  dependsOnNow = false;
  readonly #conditions = new Map<Node, readonly Condition<Node>[]>();

  constructor(tree: unknown) {
    this.#read(tree, NO_NAMES);
  }

  #read(node: unknown, names: Names): void {
    if (Array.isArray(node)) for (const child of node) this.#read(child, names);
    else if (typeof node === 'object' && node !== null) this.#readNode(node as Node, names);
  }

  #readNode(node: Node, names: Names): void {
    if ('function_name' in node) this.#readFunction(folded(String(node.function_name)));
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
        throw new SelectMistake('DESCRIBE, SHOW and SUMMARIZE are not SELECT statements', ONE_SELECT);
      case 'TABLE_FUNCTION':
        this.#readTableFunction(node);
        break;
      case 'BASE_TABLE':
        this.#readTable(node, names);
        break;
    }
    const inside = this.#readWith(node, names);
    for (const [key, child] of Object.entries(node)) {
      // Only the recursive part of a recursive WITH may read itself.
      if (key === 'right' && node.type === 'RECURSIVE_CTE_NODE')
        this.#read(child, new Set([...inside, folded(String(node.cte_name))]));
      else if (key !== 'cte_map') this.#read(child, inside);
    }
  }

  /** Walks the parts of a WITH, each with the names before it in scope; returns the names in scope after it. */
  #readWith({ cte_map: ctes }: Node, names: Names): Names {
    const made = (ctes as Ctes | undefined)?.map ?? [];
    if (made.length === 0) return names;
    const inside = new Set(names);
    for (const { key, value } of made) {
      // DuckDB reads an unknown table as a file of that name; names with these characters could be mistaken for one.
      if (/[./\\]/.test(key))
        throw new SelectMistake(`WITH cannot make ${key}`, 'give it a name without . and /');
      this.#read(value, inside);
      inside.add(folded(key));
    }
    return inside;
  }

  #readColumn({ column_names: names }: Node): void {
    const [name, ...more] = names as readonly string[];
    if (more.length === 0 && CLOCK_WORDS.includes(folded(String(name)))) this.dependsOnNow = true;
  }

  #readFunction(name: string): void {
    if (REFUSED_FUNCTIONS.test(name)) {
      throw new SelectMistake(`The function ${name} is not about the datasets`, 'leave it out');
    }
    if (VOLATILE_FUNCTIONS.has(name)) this.dependsOnNow = true;
  }

  #readTableFunction(node: Node): void {
    const name = folded(String((node.function as { function_name?: string } | undefined)?.function_name));
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
    const name = folded(String(table));
    if (names.has(name)) return;
    this.tables.add(String(table));
    this.references.push({ table: name, conditions: this.#conditions.get(node) ?? [] });
  }
}
