import Negotiator from 'negotiator';

/** How a body is encoded; `identity`: not at all. */
export type Encoding = 'identity' | 'gzip' | 'br';

/** What we offer, best first: brotli is smaller, gzip is known everywhere (and by an old name, `x-gzip`). */
const OFFERED: readonly (Encoding | 'x-gzip')[] = ['br', 'gzip', 'x-gzip', 'identity'];

/** Header values remembered. Clients send a handful, and parsing one costs more than finding the cached body. */
const MEMORY = 100;

const remembered = new Map<string, Encoding>();

/**
 * Picks the encoding for an `Accept-Encoding` header: the one with the highest weight, the smallest among equals. When
 * nothing fits it is `identity` rather than a 406, since a larger body is better than none.
 * https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
 */
export function chooseEncoding(header: string | undefined): Encoding {
  if (header === undefined) return 'identity';
  const known = remembered.get(header);
  if (known !== undefined) return known;
  const chosen = negotiate(header);
  if (remembered.size >= MEMORY) remembered.clear();
  remembered.set(header, chosen);
  return chosen;
}

function negotiate(header: string): Encoding {
  const negotiator = new Negotiator({ headers: { 'accept-encoding': header } });
  const chosen = negotiator.encodings(OFFERED, { preferred: OFFERED })[0];
  if (chosen === 'x-gzip') return 'gzip';
  return (chosen as Encoding | undefined) ?? 'identity';
}
