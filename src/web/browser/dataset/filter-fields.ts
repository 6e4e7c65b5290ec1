import type { Parameters } from '../address.js';
import type { Context } from '../context.js';
import { debounce, h, KeyedList, setAttribute } from '../dom.js';
import type { ColumnJson } from '../types.js';
import { filterText, parseFilterText } from './filter-text.js';
import { type Filter, filterParameter, filtersOf, withFilters } from './window.js';

/** The fields in the column headers, and the list of all active filters, including those on columns that are not shown. */
export class FilterFields {
  readonly chips: HTMLElement;
  readonly #context: Context;
  readonly #onChange: (parameters: Parameters) => void;
  readonly #chips: KeyedList<{ readonly filter: Filter; readonly index: number }>;
  #fields = new Map<string, { readonly column: ColumnJson; readonly field: HTMLInputElement }>();
  #columns: readonly ColumnJson[] = [];
  #parameters: Parameters = [];

  constructor(context: Context, onChange: (parameters: Parameters) => void) {
    this.#context = context;
    this.#onChange = onChange;
    this.chips = h('ul', { class: 'chips', 'aria-label': context.words.filter.active });
    this.#chips = new KeyedList(
      this.chips,
      ({ filter }) => `${filterParameter(filter)}=${filter.value}`,
      ({ filter }) => this.#chip(filter),
    );
  }

  /** The dataset's own columns: filters are on these, whatever the answer's columns are. */
  describe(columns: readonly ColumnJson[]): void {
    this.#columns = columns;
  }

  show(parameters: Parameters): void {
    this.#parameters = parameters;
    for (const { column, field } of this.#fields.values()) this.#fill(column, field);
    this.#chips.show(this.#filters().map((filter, index) => ({ filter, index })));
  }

  /** The field of one column; null if the dataset itself does not have that column. */
  field(column: ColumnJson): HTMLElement | null {
    if (!this.#columns.some(({ name }) => name === column.name)) return null;
    const { words } = this.#context;
    const field = h('input', {
      type: 'text',
      'aria-label': words.filter.of(column.name),
      title: words.filter.hints[column.type],
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const apply = debounce(() => {
      const filters = parseFilterText(field.value, column);
      setAttribute(field, 'aria-invalid', filters === null ? 'true' : null);
      if (filters !== null) {
        this.#onChange(withFilters(this.#parameters, this.#names(), column.name, filters));
      }
    });
    field.addEventListener('input', apply);
    this.#fields.set(column.name, { column, field });
    this.#fill(column, field);
    return field;
  }

  #fill(column: ColumnJson, field: HTMLInputElement): void {
    if (document.activeElement === field) return;
    const filters = this.#filters().filter((filter) => filter.column === column.name);
    const text = filterText(filters, column);
    field.value = text ?? '';
    field.placeholder = text === null ? this.#context.words.filter.several(filters.length) : '';
    setAttribute(field, 'aria-invalid', null);
  }

  #chip(filter: Filter) {
    const { words } = this.#context;
    const text = `${filterParameter(filter)}=${filter.value}`;
    const remove = () => {
      const others = this.#filters().filter((one) => one.column === filter.column && !same(one, filter));
      this.#onChange(withFilters(this.#parameters, this.#names(), filter.column, others));
    };
    const button = h(
      'button',
      { type: 'button', 'aria-label': words.filter.remove(text), onclick: remove },
      h('code', {}, text),
      h('span', { 'aria-hidden': true }, ' ×'),
    );
    return { element: h('li', {}, button), show: () => {} };
  }

  #filters(): Filter[] {
    return filtersOf(this.#parameters, this.#names());
  }

  #names(): string[] {
    return this.#columns.map(({ name }) => name);
  }
}

function same(a: Filter, b: Filter): boolean {
  return a.column === b.column && a.operator === b.operator && a.value === b.value;
}
