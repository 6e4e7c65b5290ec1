import type { Cell, CsvRows } from '../data/rows.js';
import { h, setAttribute, setText } from '../dom.js';
import type { ColumnJson } from '../types.js';
import type { Words } from '../words/words.js';

/** As in page.css: `--row`. */
const ROW_HEIGHT = 30;
/** Rows rendered beyond the edges, so that scrolling shows rows before the next frame. */
const MARGIN = 12;
/** Rows sampled for the widths of columns. */
const SAMPLE = 200;
const MOST_CHARACTERS = 44;

export interface HeadCell {
  readonly column: ColumnJson;
  readonly sort: 'ascending' | 'descending' | null;
}

export interface TableOptions {
  readonly words: Words;
  readonly label: string;
  /** Null: the headers are plain text. */
  readonly onSort: ((column: string, add: boolean) => void) | null;
  /** The field for a column's filter; null: none. */
  readonly filterField: ((column: ColumnJson) => HTMLElement | null) | null;
}

/**
 * A table of any number of rows, of which only the visible ones are in the document. It remains a table for screen
 * readers: `aria-rowcount` has the number of rows, `aria-rowindex` the index of a row.
 */
export class VirtualTable {
  readonly element: HTMLElement;
  readonly #options: TableOptions;
  readonly #table: HTMLTableElement;
  readonly #columns = h('colgroup');
  readonly #head = h('thead');
  readonly #body = h('tbody');
  readonly #above = spacer();
  readonly #below = spacer();
  #lines: HTMLTableRowElement[] = [];
  #rows: CsvRows | null = null;
  #shown: readonly HeadCell[] = [];
  #drawn = { first: -1, count: -1, rows: -1 };
  #wide = '';

  constructor(options: TableOptions) {
    this.#options = options;
    this.#table = h(
      'table',
      { class: 'grid', 'aria-label': options.label },
      this.#columns,
      this.#head,
      this.#body,
    );
    this.#body.append(this.#above, this.#below);
    this.element = h(
      'div',
      { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': options.label },
      this.#table,
    );
    this.element.addEventListener('scroll', () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  /** Shows new rows, with the same columns or others. Position, focus and typed text stay if the columns do. */
  show(rows: CsvRows, heads: readonly HeadCell[]): void {
    if (heads.map(headKey).join() !== this.#shown.map(headKey).join()) this.#makeHead(heads);
    this.#showSort(heads);
    this.#rows = rows;
    this.#shown = heads;
    this.#widen(rows, heads);
    setAttribute(this.#table, 'aria-rowcount', rows.count + this.#head.rows.length);
    this.#drawn = { first: -1, count: -1, rows: -1 };
    this.#draw();
  }

  scrollToTop(): void {
    this.element.scrollTop = 0;
  }

  #makeHead(heads: readonly HeadCell[]): void {
    const { words, onSort, filterField } = this.#options;
    const names = heads.map(({ column: { name, type } }) => {
      const label = [h('span', { class: 'name' }, name), h('span', { class: 'type' }, words.types[type])];
      const content =
        onSort === null
          ? h('span', { class: 'head' }, label)
          : h(
              'button',
              {
                class: 'head',
                type: 'button',
                title: words.sortHint,
                onclick: (event: MouseEvent) => onSort(name, event.shiftKey),
              },
              label,
              h('span', { class: 'arrow', 'aria-hidden': true }),
            );
      return h('th', { scope: 'col', class: isNumeric(type) ? 'numeric' : null }, content);
    });
    const lines = [h('tr', { 'aria-rowindex': 1 }, names)];
    if (filterField !== null) {
      const fields = heads.map(({ column }) => h('td', {}, filterField(column)));
      lines.push(h('tr', { class: 'filters', 'aria-rowindex': 2 }, fields));
    }
    this.#head.replaceChildren(...lines);
    setAttribute(this.#table, 'aria-colcount', heads.length);
    for (const space of [this.#above, this.#below])
      setAttribute(space.cells[0]!, 'colspan', heads.length || 1);
    for (const line of this.#lines) line.remove();
    this.#lines = [];
    this.#wide = '';
  }

  #showSort(heads: readonly HeadCell[]): void {
    for (const [index, { sort }] of heads.entries()) {
      setAttribute(this.#head.rows[0]!.cells[index]!, 'aria-sort', sort);
    }
  }

  /** Widths come from the first rows and never shrink while the columns stay, so that nothing moves while reading. */
  #widen(rows: CsvRows, heads: readonly HeadCell[]): void {
    const widths = heads.map(({ column: { name, type } }) =>
      Math.max(name.length + 4, this.#options.words.types[type].length + 4, 9),
    );
    for (let index = 0; index < Math.min(rows.count, SAMPLE); index += 1) {
      for (const [column, cell] of rows.row(index).entries()) {
        const length = Math.min(MOST_CHARACTERS, (cell?.length ?? 0) + 2);
        if (column < widths.length && length > widths[column]!) widths[column] = length;
      }
    }
    const old = this.#wide === '' ? [] : this.#wide.split(',').map(Number);
    const wide = widths.map((width, index) => Math.max(width, old[index] ?? 0));
    if (wide.join() === this.#wide) return;
    this.#wide = wide.join();
    this.#columns.replaceChildren(
      ...wide.map((width) => {
        const col = h('col');
        col.style.width = `${width}ch`;
        return col;
      }),
    );
    this.#table.style.width = `max(100%, ${wide.reduce((sum, width) => sum + width, 0)}ch)`;
  }

  #draw(): void {
    const rows = this.#rows;
    if (rows === null) return;
    const { scrollTop, clientHeight } = this.element;
    const inSight = Math.ceil(clientHeight / ROW_HEIGHT) + 2 * MARGIN;
    const first = Math.max(0, Math.min(Math.floor(scrollTop / ROW_HEIGHT) - MARGIN, rows.count - inSight));
    const count = Math.min(inSight, rows.count - first);
    const drawn = this.#drawn;
    if (first === drawn.first && count === drawn.count && rows.count === drawn.rows) return;
    this.#drawn = { first, count, rows: rows.count };
    while (this.#lines.length < count) this.#addLine();
    while (this.#lines.length > count) this.#lines.pop()!.remove();
    const headRows = this.#head.rows.length;
    for (const [index, line] of this.#lines.entries()) {
      setAttribute(line, 'aria-rowindex', headRows + first + index + 1);
      line.classList.toggle('odd', (first + index) % 2 === 1);
      showCells(line, rows.row(first + index));
    }
    this.#above.cells[0]!.style.height = `${first * ROW_HEIGHT}px`;
    this.#below.cells[0]!.style.height = `${(rows.count - first - count) * ROW_HEIGHT}px`;
  }

  #addLine(): void {
    const cells = this.#shown.map(({ column: { type } }) =>
      h('td', { class: isNumeric(type) ? 'numeric' : null }),
    );
    const line = h('tr', {}, cells);
    this.#lines.push(line);
    this.#body.insertBefore(line, this.#below);
  }
}

function showCells(line: HTMLTableRowElement, cells: readonly Cell[]): void {
  for (const [index, td] of [...line.cells].entries()) {
    const cell = cells[index] ?? null;
    setText(td, cell ?? '');
    td.classList.toggle('absent', cell === null);
    setAttribute(td, 'title', cell !== null && cell.length >= MOST_CHARACTERS - 2 ? cell : null);
  }
}

function spacer(): HTMLTableRowElement {
  return h('tr', { class: 'spacer', 'aria-hidden': true }, h('td', {}));
}

function isNumeric(type: ColumnJson['type']): boolean {
  return type === 'number';
}

function headKey({ column }: HeadCell): string {
  return JSON.stringify([column.name, column.type]);
}
