import type { Route } from './address.js';
import type { Api } from './data/api.js';
import type { Format } from './format.js';
import type { CatalogueJson } from './types.js';
import type { Language, Words } from './words/words.js';

/** What every part of the page is made with. A change of language makes the page anew. */
export interface Context {
  readonly api: Api;
  readonly language: Language;
  readonly words: Words;
  readonly format: Format;
  readonly timeZone: string;
  /** The service's time now, in milliseconds, whatever this machine's clock says. */
  now(): number;
  /** The address of a page, for a link. */
  link(route: Route): string;
  /** Goes to a page. `replace`: without a step in the browser's history, for what is typed. */
  go(route: Route, how?: 'push' | 'replace'): void;
  /** Says something to a screen reader, without disturbing. */
  announce(text: string): void;
}

/** One page of the application. */
export interface Page {
  readonly title: string;
  readonly element: HTMLElement;
  /** A new catalogue came. */
  show(catalogue: CatalogueJson): void;
  /** Another address of this very page; false: it is another page's. */
  navigate(route: Route): boolean;
  /** A second has passed. */
  tick(): void;
  close(): void;
}
