import { type ColumnOrder, mergeColumns } from '../../csv/columns.js';
import type { Column, ColumnType } from '../../csv/rows.js';
import type { AttributeValue } from './attributes.js';
import { columnCollision } from './errors.js';
import type { KeyAttribute } from './keys.js';
import {
  attributeOfPath,
  attributeText,
  columnOfPath,
  meaningsOf,
  publishedColumn,
  renamedPaths,
} from './paths.js';

/**
 * Which attributes become which columns, as configured. Names may be the attribute's, a path into it (see `paths.ts`), or
 * the renamed one.
 */
export interface ColumnOptions {
  /** Columns that follow the keys, in this order, whether or not a value was seen. */
  readonly columns: readonly string[];
  /** The columns to publish in addition to the keys; null: all. */
  readonly only: readonly string[] | null;
  /** Attribute name to column name; applies where the attribute exists. */
  readonly rename: Readonly<Record<string, string>>;
  /** Whether maps and lists become a column for each value in them; absent: no. */
  readonly expand?: boolean;
  /** Other names that may be paths: what they lead to is published too. */
  readonly others?: readonly string[];
}

/** The column of an attribute that is not published. */
export const LEFT_OUT = -1;
/** The kinds of value that decide a column's type, as bits; those seen are combined. */
const NO_KIND = 0;
export const NUMBER_KIND = 1;
export const BOOLEAN_KIND = 2;
export const OTHER_KIND = 4;

/** The kind of a value for its column's type; a NULL has none. */
export function kindOf(value: AttributeValue): number {
  if (value.S !== undefined) return OTHER_KIND;
  if (value.N !== undefined) return NUMBER_KIND;
  if (value.BOOL !== undefined) return BOOLEAN_KIND;
  return value.NULL !== undefined ? NO_KIND : OTHER_KIND;
}

/** Whether values of more than one kind were seen. */
function isMixed(kinds: number): boolean {
  return (kinds & (kinds - 1)) !== 0;
}

/** The type of a column with values of these kinds, of which there is at least one. */
function typeOf(kinds: number): ColumnType {
  if (kinds === NUMBER_KIND) return 'number';
  return kinds === BOOLEAN_KIND ? 'boolean' : 'string';
}

/**
 * Attributes and paths, as `pathText`, to columns: grows while items are read, starting from the columns already known.
 */
export class ItemLayout {
  readonly #table: string;
  #order: ColumnOrder;
  readonly #rename: ReadonlyMap<string, string>;
  readonly #only: ReadonlySet<string> | null;
  readonly #expands: boolean;
  readonly #keyTypes: ReadonlyMap<string, ColumnType>;
  /** Which attribute each column's values come from, by column name. */
  readonly #origins = new Map<string, string>();
  /** By column name. */
  #indexes: ReadonlyMap<string, number> = new Map();
  #columns: readonly Column[];

  constructor(
    table: string,
    keys: readonly KeyAttribute[],
    options: ColumnOptions,
    known: readonly Column[],
  ) {
    this.#table = table;
    const keyNames = keys.map(({ name }) => attributeText(name));
    this.#rename = renamedPaths(options.rename);
    this.#only =
      options.only === null ? null : new Set(options.only.flatMap((name) => [name, ...meaningsOf(name)]));
    this.#expands = options.expand === true;
    this.#order = { keys: keyNames.map((name) => this.#columnOf(name)), configured: [] };
    const isPublished = (name: string) => meaningsOf(name).some((meaning) => this.#published(meaning));
    this.#order = {
      keys: this.#order.keys,
      configured: options.columns.filter(isPublished).map((name) => publishedColumn(name, this.#rename)),
    };
    this.#columns = mergeColumns(known.map(asUnseen), [], this.#order);
    this.#keyTypes = new Map(
      keys.map(({ type }, index) => [keyNames[index]!, type === 'N' ? 'number' : 'string']),
    );
    this.add(keyNames);
  }

  /** The columns of rows, in header order. A new array after `add` found new ones; types are not current. */
  get columns(): readonly Column[] {
    return this.#columns;
  }

  /** Names of the key columns, partition first. */
  get keys(): readonly string[] {
    return this.#order.keys;
  }

  /** Which attribute each column's values came from, by column name. */
  get origins(): ReadonlyMap<string, string> {
    return this.#origins;
  }

  /**
   * Adds new attributes. Pass all of a page at once, so that columns are ordered once, not once for each.
   * Throws on a collision of two attributes.
   */
  add(attributes: readonly string[]): void {
    const published = attributes.filter((attribute) => this.#published(attribute));
    for (const attribute of published) this.#claim(attribute);
    const found = published
      .map((attribute) => this.#columnOf(attribute))
      .filter((name) => !this.#indexes.has(name))
      .map((name): Column => ({ name, type: 'string', seen: false }));
    this.#columns = mergeColumns(this.#columns, found, this.#order);
    this.#indexes = new Map(this.#columns.map(({ name }, index) => [name, index]));
  }

  /** Index of an attribute's column in `columns`, or `LEFT_OUT`. */
  indexOf(attribute: string): number {
    return this.#published(attribute) ? this.#indexes.get(this.#columnOf(attribute))! : LEFT_OUT;
  }

  /** The columns with the types of the values found, and names alone of all others. `found`: attributes with their kinds. */
  typedColumns(found: Iterable<readonly [attribute: string, kinds: number]>): readonly Column[] {
    const types = new Map(this.#keyTypes);
    for (const [attribute, kinds] of found) {
      if (kinds !== NO_KIND && this.#published(attribute) && !types.has(attribute))
        types.set(attribute, typeOf(kinds));
    }
    const columns = Array.from(types, ([attribute, type]) => ({
      name: this.#columnOf(attribute),
      type,
      seen: true,
    }));
    return this.union([columns]);
  }

  /** The columns with values of more than one kind. `found`: attributes with their kinds. */
  mixedColumns(found: Iterable<readonly [attribute: string, kinds: number]>): readonly string[] {
    return Array.from(found).flatMap(([attribute, kinds]) =>
      isMixed(kinds) && this.#published(attribute) && !this.#keyTypes.has(attribute)
        ? [this.#columnOf(attribute)]
        : [],
    );
  }

  /** The union of the columns that several threads found, in this table's order. */
  union(findings: readonly (readonly Column[])[]): readonly Column[] {
    return mergeColumns(this.#columns, findings.flat(), this.#order);
  }

  /** Reserves the attribute's column for it. */
  #claim(attribute: string): void {
    const name = this.#columnOf(attribute);
    const other = this.#origins.get(name);
    if (other !== undefined && other !== attribute)
      throw columnCollision(this.#table, name, [other, attribute]);
    this.#origins.set(name, attribute);
  }

  #columnOf(attribute: string): string {
    return this.#rename.get(attribute) ?? columnOfPath(attribute);
  }

  #published(attribute: string): boolean {
    if (this.#only === null || this.#only.has(attribute)) return true;
    const column = this.#columnOf(attribute);
    if (this.#only.has(column) || this.#order.keys.includes(column)) return true;
    return this.#expands && this.#only.has(attributeText(attributeOfPath(attribute)));
  }
}

/** A column known by its name: its type is that of the values that are found now. */
function asUnseen({ name }: Column): Column {
  return { name, type: 'string', seen: false };
}

/** Throws when two threads found different attributes for one column. */
export function checkOrigins(table: string, origins: readonly ReadonlyMap<string, string>[]): void {
  const all = new Map<string, string>();
  for (const [column, attribute] of origins.flatMap((one) => [...one])) {
    const other = all.get(column) ?? attribute;
    if (other !== attribute) throw columnCollision(table, column, [other, attribute].sort());
    all.set(column, attribute);
  }
}
