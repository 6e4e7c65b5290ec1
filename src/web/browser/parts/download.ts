import type { Api } from '../data/api.js';
import { h } from '../dom.js';

/** Saves what is at a URL as a file: by the page, because a link would not send the token. Rejects as `Api.fetch` does. */
export async function download(api: Api, url: string, name: string): Promise<void> {
  const response = await api.fetch(url);
  const href = URL.createObjectURL(await response.blob());
  h('a', { href, download: name }).click();
  URL.revokeObjectURL(href);
}
