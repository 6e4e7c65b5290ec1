import type { Route } from './address.js';
import type { Context, Page } from './context.js';
import type { ApiFailure } from './data/api.js';
import { urlBar } from './dataset/url-bar.js';
import { h, newId, setChildren, setText } from './dom.js';
import { ResultView } from './parts/result-view.js';
import type { CatalogueJson } from './types.js';

/** An SQL text, run by the service, and its rows. The text is part of the address. */
export class SqlPage implements Page {
  readonly title = 'SQL';
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #field: HTMLTextAreaElement;
  readonly #result: ResultView;
  readonly #url;
  readonly #place = h('p', { class: 'place', hidden: true });
  readonly #names = h('ul', { class: 'chips' });
  #named = '';
  #ran = '';

  constructor(context: Context, text: string) {
    const { words } = context;
    this.#context = context;
    const id = newId();
    this.#field = h('textarea', {
      id,
      rows: 8,
      spellcheck: 'false',
      autocapitalize: 'off',
      'aria-describedby': `${id}-hint`,
      onkeydown: (event: KeyboardEvent) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        this.#submit();
      },
      oninput: () => {
        this.#place.hidden = true;
      },
    });
    this.#field.value = text;
    this.#url = urlBar(context);
    this.#url.element.hidden = true;
    this.#result = new ResultView(context, {
      label: words.sql.result,
      onSort: null,
      filterField: null,
      onZoom: null,
      onPlot: (plot) => this.#result.choosePlot(plot),
      onColumns: (columns) => {
        this.#url.element.hidden = false;
        this.#url.show({ path: '/csv', parameters: [['sql', this.#ran]], columns, timeColumn: null });
      },
      onFailure: (failure) => this.#showPlace(failure),
    });
    this.element = h(
      'div',
      { class: 'sql-page' },
      h('h1', {}, 'SQL'),
      h(
        'form',
        {
          class: 'editor',
          onsubmit: (event: Event) => {
            event.preventDefault();
            this.#submit();
          },
        },
        h('label', { for: id }, words.sql.label),
        this.#field,
        this.#place,
        h(
          'div',
          { class: 'actions' },
          h('button', { class: 'primary' }, words.sql.run),
          h('span', { id: `${id}-hint`, class: 'quiet' }, words.sql.hint),
        ),
        this.#names,
      ),
      this.#result.element,
      this.#url.element,
    );
    if (text !== '') void this.#run(text);
  }

  /** Shows the names of datasets, as buttons that insert them. */
  show({ datasets }: CatalogueJson): void {
    const names = datasets.map(({ name }) => name);
    if (names.join('\n') === this.#named) return;
    this.#named = names.join('\n');
    this.#field.placeholder = names[0] === undefined ? '' : `SELECT *\nFROM ${quoted(names[0])}\nLIMIT 100`;
    setChildren(
      this.#names,
      datasets.map(({ name, columns }) => {
        const title = columns?.map((column) => column.name).join(', ') ?? null;
        const button = h('button', { type: 'button', title, onclick: () => this.#write(quoted(name)) }, name);
        return h('li', {}, button);
      }),
    );
  }

  navigate(route: Route): boolean {
    if (route.page !== 'sql') return false;
    if (route.text !== this.#ran) {
      this.#field.value = route.text;
      void this.#run(route.text);
    }
    return true;
  }

  tick(): void {}

  close(): void {
    this.#result.close();
  }

  #write(text: string): void {
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, 'end');
    this.#field.focus();
  }

  /** Submitting the same text runs it again. */
  #submit(): void {
    const text = this.#field.value.trim();
    if (text === this.#ran) void this.#run(text);
    else this.#context.go({ page: 'sql', text });
  }

  async #run(text: string): Promise<void> {
    this.#ran = text;
    this.#place.hidden = true;
    this.#url.element.hidden = true;
    this.#result.clear();
    if (text === '') return;
    await this.#result.load(
      {
        path: 'sql',
        options: {
          method: 'POST',
          body: JSON.stringify({ sql: text }),
          headers: { 'content-type': 'application/json' },
        },
        known: [],
        timeColumn: null,
        keys: [],
        plot: null,
        sortOf: () => null,
      },
      false,
    );
  }

  /** Marks the position in the message, if there is one. */
  #showPlace({ message }: ApiFailure): void {
    const place = /line (\d+)(?:, column (\d+))?/i.exec(message);
    if (place === null) return;
    const lines = this.#field.value.split('\n');
    const line = Math.min(Number(place[1]), lines.length);
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const column = Math.max(1, Number(place[2] ?? 1));
    const start = before + Math.min(column - 1, lines[line - 1]!.length);
    const word = /^\w+|^./.exec(this.#field.value.slice(start))?.[0] ?? '';
    this.#field.focus();
    this.#field.setSelectionRange(start, start + word.length);
    setText(this.#place, this.#context.words.sql.place(line, column));
    this.#place.hidden = false;
  }
}

/** A name, quoted for SQL if needed. */
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
