import type { Column } from './rows.js';

/** Which columns come first: the key attributes (partition, sort), then the configured order; published names. */
export interface ColumnOrder {
  readonly keys: readonly string[];
  readonly configured: readonly string[];
}

/**
 * The column that fits both findings of a name. Types only widen: two different types that were both seen become
 * `string`. A column without a seen value does not count.
 */
export function widen(a: Column, b: Column): Column {
  if (!b.seen) return a;
  if (!a.seen) return b;
  return a.type === b.type ? a : { name: a.name, type: 'string', seen: true };
}

/**
 * The union of the columns known so far and those just found, in header order: keys, configured, the rest by
 * name (by code units, independent of the locale). A known column stays. Keys and configured columns exist, as not
 * seen, even before they have a value. Returns `known` itself if nothing is new.
 */
export function mergeColumns(
  known: readonly Column[],
  found: readonly Column[],
  order: ColumnOrder,
): readonly Column[] {
  const byName = new Map<string, Column>();
  for (const column of [...known, ...found]) {
    const before = byName.get(column.name);
    byName.set(column.name, before === undefined ? column : widen(before, column));
  }
  const first = new Set([...order.keys, ...order.configured]);
  const rest = [...byName.keys()].filter((name) => !first.has(name)).sort(byCodeUnits);
  const merged = [...first, ...rest].map(
    (name): Column => byName.get(name) ?? { name, type: 'string', seen: false },
  );
  return sameColumns(known, merged) ? known : merged;
}

/** Same names in the same order, so rows of `a` are also rows of `b`. */
export function sameLayout(a: readonly Column[], b: readonly Column[]): boolean {
  return a === b || (a.length === b.length && a.every((column, index) => column.name === b[index]!.name));
}

/** Same layout, and the same types too. */
export function sameColumns(a: readonly Column[], b: readonly Column[]): boolean {
  return sameLayout(a, b) && a.every((column, i) => hasSameType(column, b[i]!));
}

function hasSameType(a: Column, b: Column): boolean {
  return a.type === b.type && a.seen === b.seen && a.declared === b.declared;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Names for the columns of a result, each different even where case does not count: the second of `Zone`, `zone` is
 * `zone_2`. No name is empty or has a NUL, which SQL text cannot hold.
 */
export function distinctNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replaceAll('\0', '\uFFFD') || 'column';
    let distinct = base;
    for (let n = 2; taken.has(distinct.toLowerCase()); n++) distinct = `${base}_${n}`;
    taken.add(distinct.toLowerCase());
    return distinct;
  });
}
