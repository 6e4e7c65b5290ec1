import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser sent the request on behalf of a page of another origin that is not in `origins`. Browsers say so in
 * `Sec-Fetch-Site`, on https and to this machine; elsewhere only `Origin` tells, which plain GET requests lack. Programs
 * send neither. https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
export function isFromForeignPage(headers: IncomingHttpHeaders, origins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && origins.includes(origin)) return false;
  const site = headers['sec-fetch-site'];
  // `none`: the user entered the address, or followed a bookmark.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && hostOf(origin) !== host?.toLowerCase();
}

/** Host and port of an origin; null for an opaque one (`null`). */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
