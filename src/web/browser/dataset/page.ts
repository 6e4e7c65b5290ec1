import { formatQuery, type Parameters, type Route } from '../address.js';
import type { Context, Page } from '../context.js';
import { ApiFailure } from '../data/api.js';
import { h, setAttribute, setText } from '../dom.js';
import { freshnessMark } from '../parts/freshness.js';
import { missingText } from '../parts/missing-days.js';
import { ResultView } from '../parts/result-view.js';
import type { CatalogueJson, ColumnJson, DatasetJson } from '../types.js';
import { about } from './about.js';
import { windowControls } from './controls.js';
import { FilterFields } from './filter-fields.js';
import { grafanaPart } from './grafana.js';
import { urlBar } from './url-bar.js';
import {
  hasOwnColumns,
  keptColumns,
  rowParameters,
  seriesColumns,
  sortOf,
  withNextSort,
  withRange,
} from './window.js';

/** Up to this size new rows are loaded automatically; larger ones on request. */
const REFRESHED_BYTES = 2_000_000;
const NOT_FOUND = 404;

type DatasetRoute = Extract<Route, { page: 'dataset' }>;

/**
 * One dataset: its description, its rows as a table and a plot, and the URL that returns exactly these rows. Every filter,
 * order and bound is a parameter of that URL, applied by the service, never by the page.
 */
export class DatasetPage implements Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #controls;
  readonly #filters: FilterFields;
  readonly #result: ResultView;
  readonly #url;
  readonly #about;
  readonly #grafana;
  readonly #facts;
  readonly #fresher: HTMLButtonElement;
  readonly #missing: HTMLElement;
  readonly #reason: HTMLElement;
  #route: DatasetRoute;
  #dataset: DatasetJson | null = null;
  #columns: readonly ColumnJson[] = [];
  /** The window that was last loaded, and the state of the data at that time. */
  #read = { query: '', state: '' };

  constructor(context: Context, route: DatasetRoute) {
    const { words } = context;
    this.#context = context;
    this.#route = route;
    this.title = route.name;
    this.#controls = windowControls(context, (parameters, how) => this.#go(parameters, how));
    this.#filters = new FilterFields(context, (parameters) => this.#go(parameters, 'replace'));
    this.#result = new ResultView(context, {
      label: route.name,
      onSort: (column, add) => this.#go(withNextSort(this.#route.parameters, column, add)),
      filterField: (column) => this.#filters.field(column),
      onZoom: (from, to) => this.#go(withRange(this.#route.parameters, isoSecond(from), isoSecond(to))),
      onPlot: (plot) => context.go({ ...this.#route, plot }),
      onColumns: (columns) => this.#showColumns(columns),
    });
    this.#url = urlBar(context);
    this.#about = about(context);
    this.#grafana = grafanaPart(context);
    this.#facts = facts(context);
    this.#fresher = h(
      'button',
      { type: 'button', class: 'fresher', hidden: true, onclick: () => this.#load(true) },
      words.dataset.fresher,
    );
    this.#reason = h('p', {});
    this.#missing = h(
      'div',
      { class: 'failure', hidden: true },
      h('strong', {}, words.dataset.missing(route.name)),
      this.#reason,
      h('p', {}, h('a', { href: context.link({ page: 'overview' }) }, words.dataset.toOverview)),
    );
    this.element = h(
      'div',
      { class: 'dataset' },
      h('h1', {}, route.name),
      this.#missing,
      this.#facts.element,
      this.#controls.element,
      this.#filters.chips,
      this.#fresher,
      this.#result.element,
      this.#about.element,
      this.#grafana.element,
      this.#url.element,
    );
  }

  show({ datasets, service }: CatalogueJson): void {
    const dataset = datasets.find(({ name }) => name === this.#route.name);
    this.#missing.hidden = dataset !== undefined;
    for (const part of [this.#controls, this.#url, this.#facts, this.#result, this.#grafana]) {
      part.element.hidden = dataset === undefined;
    }
    if (dataset === undefined) {
      void this.#explain();
      return;
    }
    const isNew = JSON.stringify(dataset.columns) !== JSON.stringify(this.#dataset?.columns);
    this.#dataset = dataset;
    this.#facts.show(dataset);
    this.#about.show(dataset);
    this.#grafana.show({ dataset, grafana: service.grafana });
    if (isNew) {
      this.#controls.describe(dataset);
      this.#filters.describe(dataset.columns ?? []);
      this.#showParameters();
    }
    if (this.#read.state === '') this.#load(false);
    else if (this.#read.state !== stateOf(dataset)) this.#refresh();
  }

  navigate(route: Route): boolean {
    if (route.page !== 'dataset' || route.name !== this.#route.name) return false;
    const isSamePlot = JSON.stringify(route.plot) === JSON.stringify(this.#route.plot);
    this.#route = route;
    if (this.#dataset === null) return true;
    this.#showParameters();
    if (this.#read.query !== formatQuery(rowParameters(route.parameters))) this.#load(false);
    else if (!isSamePlot) this.#result.choosePlot(route.plot);
    return true;
  }

  tick(): void {
    this.#facts.tick();
  }

  close(): void {
    this.#result.close();
  }

  #go(parameters: Parameters, how: 'push' | 'replace' = 'push'): void {
    this.#context.go({ ...this.#route, parameters }, how);
  }

  /** Why there is no such dataset, if the service knows: a table that may not be read, for example. */
  async #explain(): Promise<void> {
    const { api } = this.#context;
    const path = `csv/${encodeURIComponent(this.#route.name)}?limit=0`;
    const failure = await api.fetch(path).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (failure instanceof ApiFailure && failure.status !== NOT_FOUND) setText(this.#reason, failure.message);
  }

  #showParameters(): void {
    this.#controls.show(this.#route.parameters);
    this.#filters.show(this.#route.parameters);
    this.#showUrl();
  }

  #showColumns(columns: readonly ColumnJson[]): void {
    this.#columns = columns;
    this.#showUrl();
  }

  #showUrl(): void {
    const { name, parameters } = this.#route;
    this.#url.show({
      path: `/csv/${encodeURIComponent(name)}`,
      parameters,
      columns: this.#columns.length > 0 ? this.#columns : (this.#dataset?.columns ?? []),
      timeColumn: this.#dataset?.timeColumn ?? null,
    });
  }

  #refresh(): void {
    if (this.#result.bytes <= REFRESHED_BYTES) this.#load(true);
    else this.#fresher.hidden = false;
  }

  #load(isRefresh: boolean): void {
    const dataset = this.#dataset!;
    const { name, parameters, plot } = this.#route;
    const query = formatQuery(rowParameters(parameters));
    const sort = sortOf(parameters);
    this.#fresher.hidden = true;
    this.#read = { query, state: stateOf(dataset) };
    void this.#result.load(
      {
        path: `csv/${encodeURIComponent(name)}${query}`,
        // A column created by a pivot is unrelated to a dataset column with the same name.
        known: keptColumns(parameters, dataset.columns ?? [], dataset.timeColumn),
        timeColumn: dataset.timeColumn,
        keys: seriesColumns(parameters, dataset.keys),
        isKeyOnce: !hasOwnColumns(parameters) && hasItemsOfOneKey(dataset),
        plot,
        sortOf(column) {
          const key = sort.find((one) => one.column === column);
          return key === undefined ? null : key.descending ? 'descending' : 'ascending';
        },
      },
      isRefresh,
    );
  }
}

/** Whether rows are items with a single key that is not their time, such as orders. */
function hasItemsOfOneKey({ kind, keys, timeColumn }: DatasetJson): boolean {
  return kind === 'snapshot' && keys.length === 1 && keys[0] !== timeColumn;
}

/** Identifies the state of the data: rows may differ if this does. */
function stateOf({ version, readAt }: DatasetJson): string {
  return `${version} ${readAt}`;
}

function isoSecond(time: number): string {
  return new Date(Math.round(time / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
}

/** Description, state, age, size, and last error. */
function facts({ words, format, now }: Context) {
  const description = h('p', { class: 'description' });
  const source = h('span', { class: 'quiet' });
  const kind = h('span', { class: 'tag' });
  const mark = freshnessMark(words);
  const age = h('span');
  const next = h('span');
  const size = h('span');
  const error = h('p', { class: 'error', hidden: true });
  const element = h(
    'div',
    { class: 'facts' },
    description,
    h('p', { class: 'line' }, kind, mark.element, age, next, size, source),
    error,
  );
  let dataset: DatasetJson | null = null;
  const tick = () => {
    if (dataset === null) return;
    const { readAt, nextPollAt } = dataset;
    setText(
      age,
      readAt === null
        ? words.neverRead
        : words.readAgo(format.duration((now() - Date.parse(readAt)) / 1_000)),
    );
    const wait = nextPollAt === null ? null : (Date.parse(nextPollAt) - now()) / 1_000;
    setText(next, wait === null ? '' : words.nextPollIn(format.duration(wait)));
    next.hidden = wait === null;
  };
  return {
    element,
    tick,
    show(value: DatasetJson) {
      dataset = value;
      setText(description, value.description ?? '');
      setText(kind, words.kinds[value.kind]);
      setText(source, value.source);
      mark.show(value.freshness);
      setText(
        size,
        value.rows === null || value.bytes === null
          ? ''
          : words.rows(format.number(value.rows), value.rows, format.bytes(value.bytes)),
      );
      size.hidden = size.textContent === '';
      setText(
        error,
        value.lastError?.message ?? (value.persisted ? missingText(words, value) : words.notPersisted),
      );
      error.hidden = error.textContent === '';
      setAttribute(element, 'data-state', value.freshness);
      tick();
    },
  };
}
