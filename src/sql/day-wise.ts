/**
 * Finds the parts of a SELECT that are computed day by day: `SELECT date, … FROM <log> … GROUP BY date, …`. Their rows of a
 * local day depend on nothing but the log's rows of that day, so those of sealed days, which never change, can be kept.
 */

import { folded } from '../windows/compile/sql-text.js';
import type { Node } from './conditions.js';
import type { Functions } from './functions.js';
import { Facts } from './select-facts.js';
import { selectNode } from './select-node.js';

/** The column with the local day that every log has in SQL. */
const DAY = 'date';

/** A part of a SELECT whose rows of one local day depend on that day's rows of one table only. Syntax trees of SELECTs. */
export interface DayWisePart {
  /** The table that it reads, folded. */
  readonly table: string;
  /** Its column with the day. */
  readonly day: string;
  /** The part as written, reading `restOf(table)` in place of the table. */
  readonly rest: Node;
  /** The same without the conditions on the day, for days that stay as they are. */
  readonly ofDays: Node;
  /** A SELECT of the days that those conditions keep, from `keptPart(number)`. */
  readonly kept: Node;
}

/** A SELECT with such parts. */
export interface DayWise {
  readonly parts: readonly DayWisePart[];
  /** The SELECT with `namedPart(number)` in place of each of them. */
  readonly whole: Node;
}

// No dataset and no WITH of a user can have a name with a slash.

/** The name under which a part reads those rows of its table that are not kept. */
export function restOf(table: string): string {
  return `rest/${table}`;
}

/** The name of a part. */
export function namedPart(number: number): string {
  return `part/${number}`;
}

/** The name of a part's kept days. */
export function keptPart(number: number): string {
  return `kept/${number}`;
}

/** What a FROM has: rows of a table one by one, some of whose columns are the day. */
interface RowSource {
  readonly table: string;
  readonly days: ReadonlySet<string>;
  /** The conditions on the day that rows have passed, with `DAY` for the day. */
  readonly conditions: readonly Node[];
  /** The FROM itself, reading `restOf(table)`; without those conditions if `ofDays`. */
  readonly from: (ofDays: boolean) => Node;
}

type Ctes = readonly { readonly key: string; readonly value: Node }[];
type Scope = ReadonlyMap<string, Node>;

/** The parts of a SELECT that are computed day by day; null: none. */
export function dayWiseIn(tree: Node, functions: Functions): DayWise | null {
  const finder = new Finder(functions);
  const whole = finder.replaced(tree, new Map());
  return finder.parts.length === 0 ? null : { parts: finder.parts, whole: withoutUnusedCtes(whole) };
}

class Finder {
  readonly parts: DayWisePart[] = [];
  readonly #functions: Functions;

  constructor(functions: Functions) {
    this.#functions = functions;
  }

  /** A query with the parts in it replaced; `scope`: the queries that WITH has named around it. */
  replaced(node: Node, scope: Scope): Node {
    if (node.type !== 'SELECT_NODE') return node;
    const inside = scopeIn(node, scope);
    if (inside === null) return node;
    const part = this.#partOf(node, inside);
    if (part !== null) return part;
    return {
      ...node,
      cte_map: { map: this.#replacedCtes(node, scope) },
      from_table: this.#replacedFrom(node.from_table as Node, inside),
    };
  }

  /** Each sees those before it. */
  #replacedCtes(node: Node, scope: Scope): Ctes {
    const before = new Map(scope);
    return ctesOf(node).map(({ key, value }) => {
      const query = value.query as Node;
      const replaced = this.replaced(query.node as Node, before);
      before.delete(folded(key));
      before.set(folded(key), query.node as Node);
      return { key, value: { ...value, query: { ...query, node: replaced } } };
    });
  }

  #replacedFrom(from: Node, scope: Scope): Node {
    if (from.type === 'JOIN') {
      const left = this.#replacedFrom(from.left as Node, scope);
      return { ...from, left, right: this.#replacedFrom(from.right as Node, scope) };
    }
    if (from.type !== 'SUBQUERY') return from;
    const query = from.subquery as Node;
    return { ...from, subquery: { ...query, node: this.replaced(query.node as Node, scope) } };
  }

  /** What stands in the place of a query that is computed day by day; null: it is not. */
  #partOf(node: Node, scope: Scope): Node | null {
    const source = this.#sourceOf(node.from_table as Node, scope);
    const list = node.select_list as readonly Node[];
    if (source === null || !isPlain(node) || !list.every((item) => this.#isSteady(item, true))) return null;
    const days = list.filter((item) => isDay(item, source.days)).map(nameOf);
    const names = list.map(nameOf);
    // A name that stands for something else than the day in GROUP BY or ORDER BY.
    if (list.some((item) => !isDay(item, source.days) && source.days.has(folded(nameOf(item))))) return null;
    if (days.length === 0 || !this.#groupsByDay(node, source.days) || !canBeMoved(node, names)) return null;
    if (node.having !== null && !this.#isSteady(node.having as Node, true)) return null;
    const where = this.#split(node.where_clause as Node | null, source.days);
    if (where === null) return null;
    const number = this.parts.length;
    const day = days[0]!;
    const bare = { ...node, modifiers: [], cte_map: { map: [] } };
    const conditions = [...source.conditions, ...where.ofDay.map(withDay)];
    this.parts.push({
      table: source.table,
      day,
      rest: { ...bare, from_table: source.from(false) },
      ofDays: { ...bare, from_table: source.from(true), where_clause: conjunction(where.others) },
      kept: selectAll(keptPart(number), conjunction(conditions.map((one) => renamed(one, day)))),
    });
    return { ...selectAll(namedPart(number), null), modifiers: node.modifiers };
  }

  #groupsByDay(node: Node, days: ReadonlySet<string>): boolean {
    const list = node.select_list as readonly Node[];
    const groups = (node.group_expressions as readonly Node[]).map((group) => list[placeOf(group)] ?? group);
    // GROUP BY ALL: by every item of the list without an aggregate, of which the day is one.
    if (node.aggregate_handling === 'FORCE_AGGREGATES') return groups.length === 0;
    const sets = node.group_sets as readonly (readonly number[])[];
    if (sets.length !== 1 || sets[0]!.length !== groups.length) return false;
    return groups.some((group) => isDay(group, days)) && groups.every((group) => this.#isSteady(group, true));
  }

  /** The rows of a table one by one, whatever queries are in between; null: it is something else. */
  #sourceOf(from: Node, scope: Scope): RowSource | null {
    if (from.sample !== null || (from.column_name_alias as readonly string[] | undefined)?.length !== 0)
      return null;
    if (from.type === 'SUBQUERY') return this.#rowsOf(from, (from.subquery as Node).node as Node, scope);
    if (from.type !== 'BASE_TABLE' || from.at_clause) return null;
    const table = folded(String(from.table_name));
    const named = scope.get(table);
    if (named !== undefined) {
      const before = new Map([...scope].slice(0, [...scope.keys()].indexOf(table)));
      return this.#rowsOf({ ...from, alias: from.alias || from.table_name }, named, before);
    }
    const rest = { ...from, alias: from.alias || from.table_name, table_name: restOf(table) };
    return { table, days: new Set([DAY]), conditions: [], from: () => rest };
  }

  /** A query that handles each row of a table by itself. */
  #rowsOf(from: Node, node: Node, scope: Scope): RowSource | null {
    if (node.type !== 'SELECT_NODE' || !isPlain(node) || ctesOf(node).length > 0) return null;
    const isGrouped = (node.group_sets as readonly unknown[]).length > 0 || node.having !== null;
    if (isGrouped || node.aggregate_handling !== 'STANDARD_HANDLING') return null;
    if ((node.modifiers as readonly Node[]).length > 0) return null;
    const source = this.#sourceOf(node.from_table as Node, scope);
    const list = node.select_list as readonly Node[];
    if (source === null || !list.every((item) => isStar(item) || this.#isSteady(item, false))) return null;
    const where = this.#split(node.where_clause as Node | null, source.days);
    if (where === null) return null;
    const named = list.filter((item) => isDay(item, source.days)).map((item) => folded(nameOf(item)));
    const days = list.some(isStar) ? [...source.days, ...named] : named;
    const others = list
      .filter((item) => !isStar(item) && !isDay(item, source.days))
      .map((item) => folded(nameOf(item)));
    // In WHERE a name is the source's column, even where the list gives it to something else.
    if (days.length === 0 || others.some((name) => source.days.has(name) || days.includes(name))) return null;
    return {
      table: source.table,
      days: new Set(days),
      conditions: [...source.conditions, ...where.ofDay.map(withDay)],
      from: (ofDays) => {
        const clause = ofDays ? conjunction(where.others) : node.where_clause;
        const query = { ...node, from_table: source.from(ofDays), where_clause: clause };
        return subquery(query, String(from.alias ?? ''));
      },
    };
  }

  /** The conditions on nothing but the day, and the others; null if one of the others may change with time. */
  #split(
    where: Node | null,
    days: ReadonlySet<string>,
  ): { readonly ofDay: readonly Node[]; readonly others: readonly Node[] } | null {
    const all = conjunctsOf(where);
    const ofDay = all.filter((condition) => this.#isAboutDay(condition, days));
    const others = all.filter((condition) => !ofDay.includes(condition));
    return others.every((condition) => this.#isSteady(condition, false)) ? { ofDay, others } : null;
  }

  #isAboutDay(condition: Node, days: ReadonlySet<string>): boolean {
    const columns = nodesIn(condition).filter(({ type }) => type === 'COLUMN_REF');
    const isOnly = columns.length > 0 && columns.every((column) => isDay(column, days));
    return (
      isOnly && this.#isMadeOf(condition, (name) => this.#functions.isScalar(name) || name === 'service_now')
    );
  }

  /** Whether an expression always has the same value for the same rows; `grouped`: it may have aggregates. */
  #isSteady(expression: Node, grouped: boolean): boolean {
    const isKnown = (name: string) =>
      this.#functions.isScalar(name) || (grouped && this.#functions.isAggregate(name));
    return this.#isMadeOf(expression, isKnown) && !new Facts(expression).dependsOnNow;
  }

  #isMadeOf(expression: Node, isKnown: (name: string) => boolean): boolean {
    return nodesIn(expression).every((node) => {
      if (OF_MORE.has(String(node.class))) return false;
      return node.function_name === undefined || isKnown(folded(String(node.function_name)));
    });
  }
}

/** Expressions that are about other rows, or about columns without naming them. */
const OF_MORE = new Set(['WINDOW', 'SUBQUERY', 'STAR', 'POSITIONAL_REFERENCE', 'PARAMETER']);

/** Queries that WITH names, around a query and in it; null: they are recursive, materialised or have other column names. */
function scopeIn(node: Node, scope: Scope): Scope | null {
  const inside = new Map(scope);
  for (const { key, value } of ctesOf(node)) {
    if ((value.aliases as readonly string[]).length > 0) return null;
    inside.delete(folded(key));
    inside.set(folded(key), (value.query as Node).node as Node);
  }
  return inside;
}

function ctesOf(node: Node): Ctes {
  return (node.cte_map as { readonly map: Ctes }).map;
}

/** Nothing that looks at several rows, but for GROUP BY, HAVING and ORDER BY. */
function isPlain({ sample, qualify }: Node): boolean {
  return sample === null && qualify === null;
}

/** ORDER BY of the result's own columns, LIMIT and OFFSET: they can be applied to the rows of all days together. */
function canBeMoved({ modifiers }: Node, names: readonly string[]): boolean {
  const known = new Set(names.map(folded));
  if (known.size < names.length) return false;
  return (modifiers as readonly Node[]).every((modifier) => {
    if (modifier.type === 'LIMIT_MODIFIER') return true;
    if (modifier.type !== 'ORDER_MODIFIER') return false;
    return (modifier.orders as readonly Node[]).every(({ expression }) => {
      const { type, column_names: path } = expression as Node & { readonly column_names: readonly string[] };
      return type === 'COLUMN_REF' && path.length === 1 && known.has(folded(path[0]!));
    });
  });
}

/** The index in the list of what a number in GROUP BY stands for; -1: it is not a number. */
function placeOf({ class: kind, value }: Node): number {
  const number = kind === 'CONSTANT' ? (value as { readonly value?: unknown }).value : undefined;
  return typeof number === 'number' ? number - 1 : -1;
}

function isDay({ type, column_names: names }: Node, days: ReadonlySet<string>): boolean {
  if (type !== 'COLUMN_REF') return false;
  const path = names as readonly string[];
  // A longer name may be a field of another column.
  return path.length === 1 && days.has(folded(path[0]!));
}

/** All columns, as they are. */
function isStar(item: Node): boolean {
  const { class: kind, relation_name: of, columns, expr, alias } = item;
  const lists = [item.exclude_list, item.replace_list, item.rename_list, item.qualified_exclude_list];
  const isBare = lists.every((list) => list === undefined || (list as readonly unknown[]).length === 0);
  return kind === 'STAR' && of === '' && !columns && !expr && !alias && isBare;
}

/** The name of a column of the result; what has none gets one that no other has. */
function nameOf(item: Node): string {
  if (item.alias) return String(item.alias);
  return item.type === 'COLUMN_REF' ? (item.column_names as readonly string[]).at(-1)! : JSON.stringify(item);
}

function conjunctsOf(where: Node | null): readonly Node[] {
  if (where === null) return [];
  if (where.type !== 'CONJUNCTION_AND') return [where];
  return (where.children as readonly Node[]).flatMap(conjunctsOf);
}

function conjunction(conditions: readonly Node[]): Node | null {
  if (conditions.length < 2) return conditions[0] ?? null;
  return { class: 'CONJUNCTION', type: 'CONJUNCTION_AND', alias: '', children: conditions };
}

function withDay(condition: Node): Node {
  return renamed(condition, DAY);
}

/** A condition on the day with another name for it. */
function renamed(condition: Node, name: string): Node {
  return JSON.parse(
    JSON.stringify(condition, (_, value) =>
      value?.type === 'COLUMN_REF' ? { ...value, column_names: [name] } : value,
    ),
  );
}

function* walk(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Node;
  for (const child of Object.values(value)) yield* walk(child);
}

function nodesIn(value: unknown): readonly Node[] {
  return [...walk(value)];
}

/** Without queries in WITH that nothing reads. */
function withoutUnusedCtes(node: Node): Node {
  const ctes = ctesOf(node);
  const isRead = ({ key }: Ctes[number]) =>
    nodesIn({ ...node, cte_map: { map: ctes.filter((cte) => cte.key !== key) } }).some(
      ({ type, table_name: name }) => type === 'BASE_TABLE' && folded(String(name)) === folded(key),
    );
  const read = ctes.filter(isRead);
  if (read.length === ctes.length) return node;
  return withoutUnusedCtes({ ...node, cte_map: { map: read } });
}

function subquery(node: Node, alias: string): Node {
  return {
    type: 'SUBQUERY',
    alias,
    sample: null,
    subquery: { node, named_param_map: [] },
    column_name_alias: [],
  };
}

const STAR: Node = {
  class: 'STAR',
  type: 'STAR',
  alias: '',
  relation_name: '',
  exclude_list: [],
  replace_list: [],
  columns: false,
  expr: null,
  qualified_exclude_list: [],
  rename_list: [],
};

/** `SELECT * FROM name WHERE where`. */
function selectAll(name: string, where: Node | null): Node {
  const table = {
    type: 'BASE_TABLE',
    alias: '',
    sample: null,
    schema_name: '',
    table_name: name,
    column_name_alias: [],
    catalog_name: '',
    at_clause: null,
  };
  return selectNode([STAR], table, where);
}
