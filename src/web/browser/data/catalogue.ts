import type { CatalogueJson } from '../../../http/schemas.js';
import type { Api } from './api.js';

/** Milliseconds between requests: polls finish every few seconds at most, and the catalogue is small. */
const EVERY = 2_000;
/** Milliseconds between requests while the service does not answer. */
const RETRY = 5_000;
const TIME_OUT = 10_000;

export interface CatalogueListener {
  onCatalogue(catalogue: CatalogueJson): void;
  /** A request failed for that reason; it is retried. */
  onFailure(reason: unknown): void;
}

/** Requests the catalogue periodically while the page is visible, and immediately when it becomes visible. */
export function followCatalogue(api: Api, listener: CatalogueListener): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;

  const ask = async () => {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    let wait = EVERY;
    const catalogue = await read(api).catch((reason: unknown) => {
      wait = RETRY;
      listener.onFailure(reason);
    });
    asking = false;
    if (catalogue !== undefined) listener.onCatalogue(catalogue);
    if (!document.hidden) timer = setTimeout(ask, wait);
  };

  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (!document.hidden) void ask();
  });
  void ask();
}

async function read(api: Api): Promise<CatalogueJson> {
  const response = await api.fetch('datasets', { timeout: TIME_OUT });
  return (await response.json()) as CatalogueJson;
}
