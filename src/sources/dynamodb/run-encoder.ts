import { encodeRow, RowsBuilder } from '../../csv/encode.js';
import { concatRows, relayout } from '../../csv/relayout.js';
import type { Cell, Column, EncodedRows } from '../../csv/rows.js';
import type { Item } from './attributes.js';
import { attributeToCell } from './cells.js';
import { type KeyAttribute, type SortKeys, SortKeyWriter } from './keys.js';
import { type ColumnOptions, ItemLayout, kindOf, LEFT_OUT } from './layout.js';
import type { Run } from './runs.js';
import { reordered, sortedOrder } from './sort.js';

/** What the encoder has to know of a table; plain data, so that it can go to a thread. */
export interface TableShape {
  readonly table: string;
  readonly keys: readonly KeyAttribute[];
  readonly options: ColumnOptions;
  /** The columns the dataset already has. While items have no other attributes, nothing is ever laid out twice. */
  readonly known: readonly Column[];
}

/** SerialQueue pages of items into one run: encoded at once, so that what is kept of a page is its CSV and its keys. */
export class RunEncoder {
  readonly #layout: ItemLayout;
  readonly #keys: SortKeyWriter;
  /** Rows under the columns as they were before the latest one was met. */
  readonly #earlier: EncodedRows[] = [];
  #columns: readonly Column[];
  #builder: RowsBuilder;
  #cells: Cell[];

  constructor({ table, keys, options, known }: TableShape) {
    this.#layout = new ItemLayout(table, keys, options, known);
    this.#keys = new SortKeyWriter(table, keys);
    this.#columns = this.#layout.columns;
    this.#builder = new RowsBuilder(this.#columns);
    this.#cells = new Array<Cell>(this.#columns.length);
  }

  /** Items so far. */
  get items(): number {
    return this.#keys.count;
  }

  add(items: readonly Item[]): void {
    for (const item of items) {
      this.#keys.add(item);
      this.#fillCells(item);
      if (this.#layout.columns !== this.#columns) {
        this.#startLayout();
        this.#fillCells(item);
      }
      this.#builder.add(encodeRow(this.#cells));
    }
  }

  /** All rows in key order. The encoder is not to be used afterwards. */
  finish(): Run {
    const columns = this.#layout.typedColumns();
    const parts = [...this.#earlier.splice(0), this.#builder.finish()].map((part) => relayout(part, columns));
    const rows = concatRows(parts);
    const keys = this.#keys.finish();
    const order = sortedOrder(keys);
    return {
      rows: { columns, ...reordered(rows.body, rows.ends, order) },
      keys: sortedKeys(keys, order),
      origins: this.#layout.origins,
      met: this.#layout.met,
    };
  }

  #fillCells(item: Item): void {
    const cells = this.#cells;
    cells.fill(null);
    for (const name in item) {
      const slot = this.#layout.slot(name);
      if (slot.index === LEFT_OUT) continue;
      const value = item[name]!;
      cells[slot.index] = attributeToCell(value);
      if ((slot.kinds | kindOf(value)) !== slot.kinds) this.#layout.meet(name, slot, value, item);
    }
  }

  /** A new column: rows up to here stay under the old columns until the end. */
  #startLayout(): void {
    this.#earlier.push(this.#builder.finish());
    this.#columns = this.#layout.columns;
    this.#builder = new RowsBuilder(this.#columns);
    this.#cells = new Array<Cell>(this.#columns.length);
  }
}

function sortedKeys(keys: SortKeys, order: Uint32Array): SortKeys {
  const { body, ends } = reordered(keys.bytes, keys.ends, order);
  return { bytes: body, ends };
}
