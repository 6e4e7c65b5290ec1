/** What the WHERE of a SELECT requires of the tables in its FROM, from DuckDB's syntax tree (`json_serialize_sql`). */

import { folded } from '../windows/compile/sql-text.js';

/** A node of the tree. */
export type Node = Readonly<Record<string, unknown>>;

/**
 * A condition that every row of a table meets if a SELECT uses it. `from`: the column is not less than the least of
 * `values`; `to`: it is not greater than the greatest.
 */
export interface Condition<Value> {
  /** Folded, since DuckDB's names ignore case. */
  readonly column: string;
  readonly side: 'from' | 'to';
  /** At least one; none depends on a row, or on anything but `service_now()`. */
  readonly values: readonly Value[];
  /** The column also differs from the value: `<` and `>`. */
  readonly isStrict?: true;
}

/** Functions whose value depends only on their arguments and on the session's time. */
const STEADY_FUNCTIONS = new Set([
  '+',
  '-',
  '*',
  'service_now',
  'local_day',
  'local_hour_start',
  'local_midnight',
  'date_trunc',
  'trunc',
  'make_date',
  'make_timestamp',
  'make_timestamptz',
  'to_timestamp',
  'to_years',
  'to_months',
  'to_weeks',
  'to_days',
  'to_hours',
  'to_minutes',
  'to_seconds',
]);

/** The longest IN list that is considered: longer ones are unlikely to be days. */
const LONGEST_LIST = 32;

/** Joins whose result stays the same, under a condition on one table's column, if that table's rows that fail it are left out. */
const JOINS = new Set(['INNER', 'LEFT', 'RIGHT', 'OUTER']);
const JOIN_KINDS = new Set(['REGULAR', 'NATURAL', 'CROSS']);

/** The sides of the column that `column <operator> value` bounds. */
const COMPARISONS: Readonly<Record<string, readonly Condition<Node>['side'][]>> = {
  COMPARE_EQUAL: ['from', 'to'],
  COMPARE_GREATERTHAN: ['from'],
  COMPARE_GREATERTHANOREQUALTO: ['from'],
  COMPARE_LESSTHAN: ['to'],
  COMPARE_LESSTHANOREQUALTO: ['to'],
};

const STRICT = new Set(['COMPARE_GREATERTHAN', 'COMPARE_LESSTHAN']);

/**
 * The tables in the FROM of a `SELECT_NODE` itself (not of its subqueries), each by its `BASE_TABLE` node, with the
 * conditions on its columns. Only conditions that certainly hold are returned; a table without any may be read whole.
 */
export function conditionsIn(select: Node): ReadonlyMap<Node, readonly Condition<Node>[]> {
  // A sample is taken of the rows before WHERE.
  if (select.sample !== null) return new Map();
  const from = select.from_table as Node;
  const isMerged = mergedColumns(from);
  const all = [...conjuncts(select.where_clause as Node | null)]
    .flatMap(conditionsOf)
    .filter(({ names }) => names.length > 1 || !isMerged(names[0]!));
  return new Map(
    [...tablesOf(from)].map((table) => {
      const name = folded(String(table.alias || table.table_name));
      return [table, all.flatMap(({ names, ...condition }) => (appliesTo(names, name) ? [condition] : []))];
    }),
  );
}

type NamedCondition = Condition<Node> & { readonly names: readonly string[] };

function* conjuncts(where: Node | null): Generator<Node> {
  if (where === null) return;
  if (where.type !== 'CONJUNCTION_AND') yield where;
  else for (const child of where.children as readonly Node[]) yield* conjuncts(child);
}

function* tablesOf(from: Node): Generator<Node> {
  if (from.sample !== null) return;
  if (from.type === 'BASE_TABLE') {
    // Columns may have other names here.
    if ((from.column_name_alias as readonly string[]).length === 0) yield from;
  } else if (
    from.type === 'JOIN' &&
    JOINS.has(String(from.join_type)) &&
    JOIN_KINDS.has(String(from.ref_type))
  ) {
    yield* tablesOf(from.left as Node);
    yield* tablesOf(from.right as Node);
  }
}

/**
 * Whether an unqualified name means a column of two tables. Joined by USING or NATURAL, both are compared in a common type,
 * while WHERE compares one of them in its own.
 */
function mergedColumns(from: Node): (name: string) => boolean {
  const merged = new Set<string>();
  let isNatural = false;
  const walk = (node: Node) => {
    if (node.type !== 'JOIN') return;
    isNatural ||= node.ref_type === 'NATURAL';
    for (const name of (node.using_columns ?? []) as readonly string[]) merged.add(folded(name));
    walk(node.left as Node);
    walk(node.right as Node);
  };
  walk(from);
  return (name) => isNatural || merged.has(name);
}

function conditionsOf(expression: Node): readonly NamedCondition[] {
  const { type } = expression;
  if (type === 'COMPARE_BETWEEN') {
    const { input, lower, upper } = expression as Record<'input' | 'lower' | 'upper', Node>;
    return [...bounded(input, ['from'], [lower]), ...bounded(input, ['to'], [upper])];
  }
  if (type === 'COMPARE_IN') {
    const [input, ...values] = expression.children as readonly Node[];
    if (values.length > LONGEST_LIST) return [];
    return bounded(input!, ['from', 'to'], values);
  }
  const sides = COMPARISONS[String(type)];
  if (sides === undefined) return [];
  const { left, right } = expression as Record<'left' | 'right', Node>;
  const turned = sides.map((side) => (side === 'from' ? 'to' : 'from'));
  const found = [...bounded(left, sides, [right]), ...bounded(right, turned, [left])];
  return STRICT.has(String(type)) ? found.map((condition) => ({ ...condition, isStrict: true })) : found;
}

function bounded(
  input: Node,
  sides: readonly Condition<Node>['side'][],
  values: readonly Node[],
): readonly NamedCondition[] {
  if (input.type !== 'COLUMN_REF' || values.length === 0 || !values.every(isSteady)) return [];
  const names = (input.column_names as readonly string[]).map(folded);
  return sides.map((side) => ({ names, column: names.at(-1)!, side, values }));
}

/**
 * An unqualified name is the column of the one table that has it (otherwise DuckDB rejects it). Longer names may be fields
 * of a column.
 */
function appliesTo(names: readonly string[], table: string): boolean {
  return names.length === 1 || (names.length === 2 && names[0] === table);
}

function isSteady(expression: Node): boolean {
  switch (expression.class) {
    case 'CONSTANT': {
      const { type, value } = expression.value as {
        readonly type: { readonly id: string };
        readonly value?: unknown;
      };
      // Constants with their value in the tree; NULL has none. Days and times are strings that are cast.
      return (
        (type.id === 'VARCHAR' && typeof value === 'string') ||
        ((type.id === 'INTEGER' || type.id === 'BIGINT') && Number.isSafeInteger(value))
      );
    }
    case 'CAST':
      return isSteady(expression.child as Node);
    case 'FUNCTION':
      return (
        STEADY_FUNCTIONS.has(folded(String(expression.function_name))) &&
        (expression.children as readonly Node[]).every(isSteady)
      );
    default:
      return false;
  }
}
