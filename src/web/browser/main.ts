import { type Address, formatAddress, parseAddress, type Route } from './address.js';
import type { Context, Page } from './context.js';
import { Api } from './data/api.js';
import { followCatalogue } from './data/catalogue.js';
import { DatasetPage } from './dataset/page.js';
import { FleetPage } from './fleet/page.js';
import { createFormat } from './format.js';
import { Frame } from './frame.js';
import { OverviewPage } from './overview.js';
import { applyTheme } from './parts/look.js';
import { askForToken } from './parts/token-dialog.js';
import { SqlPage } from './sql-page.js';
import type { CatalogueJson } from './types.js';
import { type Language, languages, preferredLanguage } from './words/words.js';

/** The application: one page at a time, by the address, updated with each catalogue. */
class Application {
  readonly #api = new Api((refused) => askForToken(languages[this.#language], refused));
  #address: Address = parseAddress(location.hash);
  #catalogue: CatalogueJson | null = null;
  /** Milliseconds that the service's clock is ahead of this machine's. */
  #ahead = 0;
  #frame: Frame | null = null;
  #page: Page | null = null;
  #context: Context | null = null;
  #states = new Map<string, string>();

  start(): void {
    applyTheme();
    this.#build();
    addEventListener('hashchange', () => this.#arrive());
    setInterval(() => this.#page?.tick(), 1_000);
    followCatalogue(this.#api, {
      onCatalogue: (catalogue) => this.#show(catalogue),
      onFailure: (reason) => this.#frame?.showOutage(reason, this.#context?.now() ?? null),
    });
  }

  get #language(): Language {
    return this.#address.language ?? preferredLanguage(navigator.languages);
  }

  /** Builds everything, at the start and when the language changes. */
  #build(): void {
    const language = this.#language;
    const words = languages[language];
    document.documentElement.lang = language;
    this.#page?.close();
    this.#page = null;
    this.#frame?.element.remove();
    this.#frame = new Frame({
      words,
      language,
      link: (route) => this.#link(route),
      chooseLanguage: (chosen) => {
        location.hash = formatAddress({ language: chosen, route: this.#address.route });
      },
    });
    document.body.append(this.#frame.element);
    this.#context = this.#catalogue === null ? null : this.#createContext(this.#catalogue);
    if (this.#catalogue !== null) {
      this.#frame.show(this.#catalogue, this.#address.route);
      this.#openPage();
    }
  }

  #createContext({ service }: CatalogueJson): Context {
    const language = this.#language;
    return {
      api: this.#api,
      language,
      words: languages[language],
      format: createFormat(language, service.timeZone),
      timeZone: service.timeZone,
      now: () => Date.now() + this.#ahead,
      link: (route) => this.#link(route),
      go: (route, how = 'push') => this.#go(route, how),
      announce: (text) => this.#frame?.announce(text),
    };
  }

  #link(route: Route): string {
    return formatAddress({ language: this.#address.language, route });
  }

  #go(route: Route, how: 'push' | 'replace'): void {
    const hash = this.#link(route);
    if (how === 'push') location.hash = hash;
    else {
      history.replaceState(null, '', hash);
      this.#arrive();
    }
  }

  #arrive(): void {
    const before = this.#language;
    this.#address = parseAddress(location.hash);
    if (this.#language !== before) {
      this.#build();
      return;
    }
    if (this.#catalogue === null) return;
    this.#frame?.show(this.#catalogue, this.#address.route);
    if (this.#page?.navigate(this.#address.route) !== true) {
      this.#openPage();
      this.#frame?.focusContent();
    }
  }

  #openPage(): void {
    this.#page?.close();
    this.#page = createPage(this.#address.route, this.#context!);
    this.#frame!.setPage(this.#page);
    this.#page.show(this.#catalogue!);
  }

  #show(catalogue: CatalogueJson): void {
    this.#ahead = Date.parse(catalogue.service.now) - Date.now();
    const isFirst = this.#catalogue === null;
    this.#catalogue = catalogue;
    this.#frame!.showOutage(null, null);
    this.#frame!.show(catalogue, this.#address.route);
    if (isFirst) {
      this.#context = this.#createContext(catalogue);
      this.#openPage();
    } else this.#page!.show(catalogue);
    this.#announceStates(catalogue);
  }

  /** Announces datasets that became late or stale, or recovered, but not successful polls. */
  #announceStates({ datasets }: CatalogueJson): void {
    const words = languages[this.#language];
    for (const { name, freshness } of datasets) {
      const before = this.#states.get(name);
      if (before !== undefined && before !== freshness) {
        this.#frame!.announce(words.nowIs(name, words.freshness[freshness]));
      }
      this.#states.set(name, freshness);
    }
  }
}

function createPage(route: Route, context: Context): Page {
  switch (route.page) {
    case 'overview':
      return new OverviewPage(context);
    case 'fleet':
      return new FleetPage(context, route.map);
    case 'dataset':
      return new DatasetPage(context, route);
    case 'sql':
      return new SqlPage(context, route.text);
  }
}

new Application().start();
