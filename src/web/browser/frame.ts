import type { Route } from './address.js';
import type { Page } from './context.js';
import { h, setAttribute, setText } from './dom.js';
import { hasFleet } from './fleet/page.js';
import { chooseTheme, chosenTheme, THEMES } from './parts/look.js';
import type { CatalogueJson } from './types.js';
import { type Language, languages, type Words } from './words/words.js';

export interface FrameOptions {
  readonly words: Words;
  readonly language: Language;
  link(route: Route): string;
  chooseLanguage(language: Language): void;
}

/** The frame of every page: navigation, appearance, and whether the service answers. */
export class Frame {
  readonly element: HTMLElement;
  readonly #options: FrameOptions;
  readonly #main: HTMLElement;
  readonly #outage = h('p', { class: 'outage', role: 'alert', hidden: true });
  readonly #live = h('p', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  readonly #links: Readonly<Record<'overview' | 'fleet' | 'sql', HTMLAnchorElement>>;
  readonly #grafana: HTMLAnchorElement;
  readonly #role = h('span', { class: 'role', hidden: true });
  #lastSeen: number | null = null;

  constructor(options: FrameOptions) {
    const { words, link } = options;
    this.#options = options;
    this.#main = h('main', { id: 'content', tabindex: -1 }, h('p', { class: 'empty' }, words.loading));
    this.#links = {
      overview: h('a', { href: link({ page: 'overview' }) }, words.pages.overview),
      fleet: h('a', { href: link({ page: 'fleet', map: 'destinations' }), hidden: true }, words.pages.fleet),
      sql: h('a', { href: link({ page: 'sql', text: '' }), hidden: true }, 'SQL'),
    };
    this.#grafana = h('a', { hidden: true }, 'Grafana');
    const skip = h(
      'button',
      { type: 'button', class: 'skip', onclick: () => this.focusContent() },
      words.skip,
    );
    this.element = h(
      'div',
      { class: 'frame' },
      skip,
      h(
        'header',
        {},
        h('a', { class: 'brand', href: link({ page: 'overview' }) }, 'dynamo-csv'),
        this.#role,
        h('nav', { 'aria-label': words.pages.title }, Object.values(this.#links)),
        h(
          'nav',
          { class: 'elsewhere', 'aria-label': words.elsewhere },
          this.#grafana,
          h('a', { href: 'docs' }, words.apiDocs),
          h('a', { href: 'metrics' }, words.metrics),
        ),
        h('div', { class: 'switches' }, this.#themeSwitch(), this.#languageSwitch()),
      ),
      this.#outage,
      this.#main,
      this.#live,
    );
  }

  /** Shows the links, and marks the current one. */
  show({ datasets, service }: CatalogueJson, route: Route): void {
    this.#links.fleet.hidden = !hasFleet(datasets);
    this.#links.sql.hidden = !service.allowSql;
    const here = route.page === 'dataset' ? 'overview' : route.page;
    for (const [page, anchor] of Object.entries(this.#links)) {
      setAttribute(anchor, 'aria-current', page !== here ? null : route.page === here ? 'page' : 'true');
    }
    for (const [page, anchor] of Object.entries(this.#links)) {
      const to: Route =
        page === 'fleet'
          ? { page, map: 'destinations' }
          : page === 'sql'
            ? { page, text: '' }
            : { page: 'overview' };
      setAttribute(anchor, 'href', this.#options.link(to));
    }
    this.#grafana.hidden = service.grafana === null;
    if (service.grafana !== null) setAttribute(this.#grafana, 'href', service.grafana);
    this.#showRole(service);
    this.#lastSeen = Date.parse(service.now);
  }

  /** A service that is alone has no role to speak of. */
  #showRole({ role, configuredRole, behind }: CatalogueJson['service']): void {
    const { words } = this.#options;
    this.#role.hidden = configuredRole === 'collect';
    setText(this.#role, role === 'collect' ? words.role.collects : words.role.follows(behind));
    setAttribute(this.#role, 'title', words.role.title);
  }

  setPage(page: Page): void {
    document.title = `${page.title} · dynamo-csv`;
    this.#main.replaceChildren(page.element);
    scrollTo(0, 0);
  }

  focusContent(): void {
    this.#main.focus();
  }

  announce(text: string): void {
    this.#live.textContent = text;
  }

  /** Shows an outage; null: the service answers again. `now`: the service's current time in milliseconds, or null if unknown. */
  showOutage(reason: unknown, now: number | null): void {
    const { words } = this.#options;
    this.#outage.hidden = reason === null;
    if (reason === null) return;
    const seconds =
      now === null || this.#lastSeen === null ? null : Math.round((now - this.#lastSeen) / 1_000);
    setText(this.#outage, words.outage(seconds, reason instanceof Error ? reason.message : String(reason)));
  }

  #themeSwitch(): HTMLElement {
    const { words } = this.#options;
    const select = h('select', { 'aria-label': words.theme.title });
    select.append(...THEMES.map((theme) => h('option', { value: theme }, words.theme[theme])));
    select.value = chosenTheme();
    select.addEventListener('change', () => {
      const chosen = THEMES.find((theme) => theme === select.value);
      if (chosen !== undefined) chooseTheme(chosen);
    });
    return select;
  }

  #languageSwitch(): HTMLElement {
    const { words, language, chooseLanguage } = this.#options;
    const select = h('select', { 'aria-label': words.language });
    for (const [code, { name }] of Object.entries(languages)) {
      select.append(h('option', { value: code, lang: code }, name));
    }
    select.value = language;
    select.addEventListener('change', () => chooseLanguage(select.value as Language));
    return select;
  }
}
