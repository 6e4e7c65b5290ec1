import { type ColumnOrder, mergeColumns } from '../../csv/columns.js';
import type { Column, ColumnType } from '../../csv/rows.js';
import type { AttributeValue, Item } from './attributes.js';
import { attributeToCell } from './cells.js';
import { columnCollision } from './errors.js';
import type { KeyAttribute } from './keys.js';

/** Which attributes become which columns, as configured. Names may be the attribute's or the renamed one. */
export interface ColumnOptions {
  /** Columns that come right behind the keys, in this order, whether or not a value was seen. */
  readonly columns: readonly string[];
  /** The columns to publish besides the keys; null: all. */
  readonly only: readonly string[] | null;
  /** Attribute name to column name; applies where the attribute exists. */
  readonly rename: Readonly<Record<string, string>>;
}

/** Where an attribute's values go. */
export interface Slot {
  /** Index of the column in `ItemLayout.columns`, or `LEFT_OUT`. Moves when a column is added before it. */
  index: number;
  /** Which kinds of value were seen: `NUMBER`, `BOOLEAN`, `OTHER`, or-ed together. */
  kinds: number;
}

/** The first value of a kind that a column met in a reading; plain data. */
export interface MetKind {
  readonly column: string;
  /** The type that a column of such values has. */
  readonly type: ColumnType;
  /** DynamoDB's name of the value's type: `S`, `N`, `BOOL` … */
  readonly valueType: string;
  /** The item: `order_id=o-4`. */
  readonly key: string;
}

export const LEFT_OUT = -1;
const NUMBER = 1;
const BOOLEAN = 2;
const OTHER = 4;

/** The kind of a value for its column's type; a NULL has none. */
export function kindOf(value: AttributeValue): number {
  if (value.S !== undefined) return OTHER;
  if (value.N !== undefined) return NUMBER;
  if (value.BOOL !== undefined) return BOOLEAN;
  return value.NULL !== undefined ? 0 : OTHER;
}

function typeOf(kinds: number): ColumnType {
  if (kinds === NUMBER) return 'number';
  return kinds === BOOLEAN ? 'boolean' : 'string';
}

/** Attributes to columns: grows while items are read, starting from the columns already known. */
export class ItemLayout {
  readonly #table: string;
  readonly #order: ColumnOrder;
  readonly #rename: ReadonlyMap<string, string>;
  readonly #only: ReadonlySet<string> | null;
  readonly #slots = new Map<string, Slot>();
  readonly #origins = new Map<string, string>();
  readonly #met: MetKind[] = [];
  readonly #keys: readonly KeyAttribute[];
  #columns: readonly Column[];

  constructor(
    table: string,
    keys: readonly KeyAttribute[],
    options: ColumnOptions,
    known: readonly Column[],
  ) {
    this.#table = table;
    this.#keys = keys;
    this.#rename = new Map(Object.entries(options.rename));
    this.#only = options.only === null ? null : new Set(options.only);
    this.#order = {
      keys: keys.map(({ name }) => this.#columnOf(name)),
      configured: options.columns.filter((name) => this.#published(name)).map((name) => this.#columnOf(name)),
    };
    this.#columns = mergeColumns(known, [], this.#order);
    for (const { name, type } of keys) this.#addSlot(name).kinds = type === 'N' ? NUMBER : OTHER;
  }

  /** Columns to lay rows out under, in header order. Another array after each new column; types are not current. */
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

  /** An attribute's place; one never met before may add a column. Throws on a collision of two attributes. */
  slot(attribute: string): Slot {
    return this.#slots.get(attribute) ?? this.#newSlot(attribute);
  }

  /** The first value of each kind of each column, keys left out. */
  get met(): readonly MetKind[] {
    return this.#met;
  }

  /** An attribute has a value of a kind that its slot has not met yet. */
  meet(attribute: string, slot: Slot, value: AttributeValue, item: Item): void {
    const kind = kindOf(value);
    slot.kinds |= kind;
    const key = this.#keys.map(({ name }) => `${name}=${attributeToCell(item[name]!)}`).join(', ');
    const [valueType = ''] = Object.keys(value);
    this.#met.push({ column: this.#columnOf(attribute), type: typeOf(kind), valueType, key });
  }

  /** The columns with the types of all values seen by now, and of those known before. */
  typedColumns(): readonly Column[] {
    const found: Column[] = [];
    for (const [attribute, { index, kinds }] of this.#slots) {
      if (index === LEFT_OUT || kinds === 0) continue;
      found.push({ name: this.#columnOf(attribute), type: typeOf(kinds), seen: true });
    }
    return this.union([found]);
  }

  /** What several threads found, under this table's order. */
  union(findings: readonly (readonly Column[])[]): readonly Column[] {
    return mergeColumns(this.#columns, findings.flat(), this.#order);
  }

  #newSlot(attribute: string): Slot {
    if (this.#published(attribute)) return this.#addSlot(attribute);
    const slot = { index: LEFT_OUT, kinds: 0 };
    this.#slots.set(attribute, slot);
    return slot;
  }

  #addSlot(attribute: string): Slot {
    const name = this.#columnOf(attribute);
    const other = this.#origins.get(name);
    if (other !== undefined) throw columnCollision(this.#table, name, [other, attribute]);
    this.#origins.set(name, attribute);
    const slot: Slot = { index: LEFT_OUT, kinds: 0 };
    this.#slots.set(attribute, slot);
    if (!this.#columns.some((column) => column.name === name)) {
      this.#columns = mergeColumns(this.#columns, [{ name, type: 'string', seen: false }], this.#order);
    }
    this.#place();
    return slot;
  }

  /** Gives every slot its column's current index. */
  #place(): void {
    const indexes = new Map(this.#columns.map(({ name }, index) => [name, index]));
    for (const [name, attribute] of this.#origins) this.#slots.get(attribute)!.index = indexes.get(name)!;
  }

  #columnOf(attribute: string): string {
    return this.#rename.get(attribute) ?? attribute;
  }

  #published(attribute: string): boolean {
    if (this.#only === null || this.#only.has(attribute)) return true;
    return this.#only.has(this.#columnOf(attribute)) || this.#order.keys.includes(this.#columnOf(attribute));
  }
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
