import type { Column } from '../../csv/rows.js';
import type { MetKind } from './layout.js';

/** A column whose type became wider, with the item that caused it. */
export interface WidenedColumn {
  readonly column: string;
  readonly key: string;
  readonly valueType: string;
  /** The type of the column's other values. */
  readonly before: Column['type'];
}

/**
 * The columns that a reading widened. `known`: the columns before it. A new column counts if it has values of several kinds.
 */
export function widenedColumns(
  known: readonly Column[],
  columns: readonly Column[],
  met: readonly MetKind[],
): readonly WidenedColumn[] {
  const before = new Map(known.filter(({ seen }) => seen).map(({ name, type }) => [name, type]));
  return columns.flatMap(({ name, type }) => {
    const kinds = met.filter(({ column }) => column === name);
    const usual = before.get(name) ?? kinds[0]?.type ?? type;
    const other = kinds.find((kind) => kind.type !== usual);
    // A column that is text already accepts everything.
    if (other === undefined || (before.has(name) && usual === type)) return [];
    return [{ column: name, key: other.key, valueType: other.valueType, before: usual }];
  });
}

/** `the column price is text from now on: the item order_id=o-4 has a value of type S, others are of the type number` */
export function describeWidened({ column, key, valueType, before }: WidenedColumn): string {
  return `the column ${JSON.stringify(column)} is text from now on: the item ${key} has a value of type ${valueType}, others are of the type ${before}`;
}
