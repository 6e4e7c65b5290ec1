import type { Route } from './address.js';
import type { Api } from './data/api.js';
import type { Format } from './format.js';
import type { CatalogueJson } from './types.js';
import type { Language, Words } from './words/words.js';

/** What every part of the page is built with. A change of language rebuilds the page. */
export interface Context {
  readonly api: Api;
  readonly language: Language;
  readonly words: Words;
  readonly format: Format;
  readonly timeZone: string;
  /** The service's current time in milliseconds, independent of this machine's clock. */
  now(): number;
  /** The address of a page, for a link. */
  link(route: Route): string;
  /** Navigates to a page. `replace`: without a new entry in the browser's history, for typing. */
  go(route: Route, how?: 'push' | 'replace'): void;
  /** Announces something to screen readers, politely. */
  announce(text: string): void;
}

/** One page of the application. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** Shows a new catalogue. */
  show(catalogue: CatalogueJson): void;
  /** Shows another address of this page; false if it belongs to another page. */
  navigate(route: Route): boolean;
  /** Called every second. */
  tick(): void;
  close(): void;
}
