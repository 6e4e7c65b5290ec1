import type { Route } from './address.js';
import type { Context, Page } from './context.js';
import { h, KeyedList, newId, type Part, setAttribute, setChildren, setText } from './dom.js';
import { freshnessMark } from './parts/freshness.js';
import { missingText } from './parts/missing-days.js';
import type { CatalogueJson, DatasetJson } from './types.js';

type Group = 'tables' | 'views' | 'lookups' | 'status';

const GROUPS: Readonly<Record<DatasetJson['kind'], Group>> = {
  snapshot: 'tables',
  log: 'tables',
  changes: 'tables',
  view: 'views',
  lookup: 'lookups',
  status: 'status',
};

/** Every dataset with its state. Rows are updated in place, so that focus and scroll position stay. */
export class OverviewPage implements Page {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #verdict: Part<readonly DatasetJson[]>;
  readonly #service: Part<CatalogueJson>;
  readonly #groups;
  readonly #search: HTMLInputElement;
  readonly #nothing: HTMLElement;
  #catalogue: CatalogueJson | null = null;

  constructor(context: Context) {
    const { words } = context;
    this.title = words.pages.overview;
    this.#verdict = verdict(context);
    this.#service = service(context);
    this.#groups = (['tables', 'views', 'lookups', 'status'] as const).map((group) =>
      datasetGroup(context, group),
    );
    const id = newId();
    this.#search = h('input', { id, type: 'search', autocomplete: 'off' });
    this.#search.addEventListener('input', () => this.#showGroups());
    this.#nothing = h('p', { class: 'empty', role: 'status', hidden: true }, words.overview.nothingFound);
    this.element = h(
      'div',
      { class: 'overview' },
      h('h1', { class: 'visually-hidden' }, words.pages.overview),
      this.#verdict.element,
      h('div', { class: 'field search' }, h('label', { for: id }, words.overview.find), this.#search),
      this.#groups.map(({ element }) => element),
      this.#nothing,
      this.#service.element,
    );
  }

  show(catalogue: CatalogueJson): void {
    this.#catalogue = catalogue;
    this.#verdict.show(catalogue.datasets);
    this.#service.show(catalogue);
    this.#showGroups();
  }

  navigate(route: Route): boolean {
    return route.page === 'overview';
  }

  tick(): void {
    for (const group of this.#groups) group.tick();
  }

  close(): void {}

  #showGroups(): void {
    const wanted = this.#search.value.trim().toLowerCase();
    const datasets = (this.#catalogue?.datasets ?? []).filter(({ name, description }) =>
      `${name} ${description ?? ''}`.toLowerCase().includes(wanted),
    );
    for (const group of this.#groups) group.show(datasets.filter(({ kind }) => GROUPS[kind] === group.name));
    this.#nothing.hidden = datasets.length > 0;
  }
}

/** The summary at the top: whether all is well, and if not, what is wrong and why. */
function verdict({ words, format, link, now }: Context): Part<readonly DatasetJson[]> {
  const headline = h('p', { class: 'headline' });
  const list = h('ul', { class: 'troubles' });
  const troubles = new KeyedList<DatasetJson>(
    list,
    ({ name }) => name,
    ({ name }) => {
      const mark = freshnessMark(words);
      const why = h('span');
      const element = h(
        'li',
        {},
        h('a', { href: link({ page: 'dataset', name, plot: null, parameters: [] }) }, name),
        mark.element,
        why,
      );
      return {
        element,
        show(dataset) {
          const { freshness, readAt, interval, lastError, persisted } = dataset;
          mark.show(freshness);
          const age = readAt === null ? null : format.duration((now() - Date.parse(readAt)) / 1_000);
          const lateness =
            freshness !== 'fresh' && age !== null && interval !== null
              ? words.overview.late(age, format.duration(interval))
              : '';
          setText(
            why,
            [
              lateness,
              lastError?.message ?? '',
              persisted ? '' : words.notPersisted,
              missingText(words, dataset),
            ]
              .filter(Boolean)
              .join(' '),
          );
        },
      };
    },
  );
  const element = h('section', { class: 'verdict', 'aria-label': words.overview.state }, headline, list);
  return {
    element,
    show(datasets) {
      const bad = datasets.filter(isTrouble);
      const worst = ['stale', 'late', 'waiting'].find((state) =>
        bad.some(({ freshness }) => freshness === state),
      );
      element.dataset.state = bad.length === 0 ? 'fresh' : (worst ?? 'late');
      setText(
        headline,
        bad.length === 0
          ? words.overview.allFresh(format.number(datasets.length))
          : words.overview.someTrouble(format.number(bad.length), format.number(datasets.length), bad.length),
      );
      troubles.show(bad);
    },
  };
}

function isTrouble({ freshness, lastError, persisted, missingDays }: DatasetJson): boolean {
  return freshness !== 'fresh' || lastError !== null || !persisted || missingDays.length > 0;
}

function datasetGroup(context: Context, name: Group) {
  const { words } = context;
  const isPolled = name === 'tables' || name === 'status';
  const body = h('tbody');
  const heads = [
    words.overview.dataset,
    words.overview.freshness,
    words.overview.age,
    words.overview.rows,
    words.overview.size,
    ...(isPolled ? [words.overview.nextPoll, words.overview.readUnits, words.overview.cost] : []),
  ];
  const count = h('span', { class: 'quiet' });
  const lines = new Map<string, DatasetLine>();
  const list = new KeyedList<DatasetJson>(
    body,
    (dataset) => dataset.name,
    (dataset) => {
      const line = datasetLine(context, dataset, isPolled);
      lines.set(dataset.name, line);
      return line;
    },
  );
  const id = newId();
  const element = h(
    'section',
    { class: 'group', 'aria-labelledby': id },
    h('h2', { id }, words.overview.groups[name], ' ', count),
    h(
      'table',
      { class: `datasets ${isPolled ? 'polled' : ''}`, 'aria-labelledby': id },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map((text, index) => h('th', { scope: 'col', class: index > 1 && 'numeric' }, text)),
        ),
      ),
      body,
    ),
  );
  return {
    name,
    element,
    tick() {
      for (const line of lines.values()) line.tick();
    },
    show(datasets: readonly DatasetJson[]) {
      element.hidden = datasets.length === 0;
      setText(count, context.format.number(datasets.length));
      list.show(datasets);
      for (const known of lines.keys())
        if (!datasets.some((dataset) => dataset.name === known)) lines.delete(known);
    },
  };
}

interface DatasetLine extends Part<DatasetJson> {
  tick(): void;
}

function datasetLine(
  { words, format, link, now }: Context,
  { name }: DatasetJson,
  isPolled: boolean,
): DatasetLine {
  const kind = h('span', { class: 'kind' });
  const error = h('p', { class: 'error', hidden: true });
  const mark = freshnessMark(words);
  const cell = (label: string) => h('td', { class: 'numeric', 'data-label': label });
  const age = cell(words.overview.age);
  const rows = cell(words.overview.rows);
  const size = cell(words.overview.size);
  const nextPoll = cell(words.overview.nextPoll);
  const readUnits = cell(words.overview.readUnits);
  const cost = cell(words.overview.cost);
  const element = h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row' },
      h('a', { href: link({ page: 'dataset', name, plot: null, parameters: [] }) }, name),
      kind,
      error,
    ),
    h('td', { class: 'state' }, mark.element),
    age,
    rows,
    size,
    isPolled && [nextPoll, readUnits, cost],
  );
  let dataset: DatasetJson | null = null;
  const tick = () => {
    if (dataset === null) return;
    const { readAt, nextPollAt } = dataset;
    setText(age, readAt === null ? '–' : format.duration((now() - Date.parse(readAt)) / 1_000));
    const wait = nextPollAt === null ? null : (Date.parse(nextPollAt) - now()) / 1_000;
    setText(
      nextPoll,
      wait === null ? '–' : wait <= 0 ? words.overview.polling : words.overview.in(format.duration(wait)),
    );
  };
  return {
    element,
    tick,
    show(value) {
      dataset = value;
      if (element.dataset.state !== value.freshness) element.dataset.state = value.freshness;
      setText(kind, isPolled ? words.kinds[value.kind] : (value.description ?? ''));
      setAttribute(kind, 'title', isPolled ? value.source : (value.description ?? ''));
      mark.show(value.freshness);
      setText(rows, value.rows === null ? '–' : format.number(value.rows));
      setText(size, value.bytes === null ? '–' : format.bytes(value.bytes));
      setText(readUnits, value.readUnitsToday === null ? '–' : format.number(value.readUnitsToday, 1));
      const usd = value.cost?.usdPerMonth ?? null;
      setText(cost, usd === null ? '–' : format.number(usd, 2));
      setText(
        error,
        value.lastError?.message ?? (value.persisted ? missingText(words, value) : words.notPersisted),
      );
      error.hidden = error.textContent === '';
      tick();
    },
  };
}

function service({ words, format }: Context): Part<CatalogueJson> {
  const list = h('dl');
  const element = h(
    'section',
    { class: 'service', 'aria-label': words.service.title },
    h('h2', {}, words.service.title),
    list,
  );
  let shown = '';
  return {
    element,
    show({ service: facts }) {
      const { now: _, ...lasting } = facts;
      const next = JSON.stringify(lasting);
      if (next === shown) return;
      shown = next;
      const pairs: [string, string][] = [
        [words.service.version, facts.version],
        [words.service.config, facts.config],
        [words.service.data, facts.dataDir],
        [words.service.timeZone, facts.timeZone],
        [words.service.since, format.dateTime(Date.parse(facts.startedAt))],
      ];
      setChildren(list, ...pairs.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    },
  };
}
