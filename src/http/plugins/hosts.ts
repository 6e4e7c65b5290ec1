import { isIP } from 'node:net';
import { hostNotAllowed } from '../errors.js';
import { httpPlugin } from '../plugin.js';

/**
 * Domains that nobody can register, so that no page on the internet can have a name in them.
 * https://www.rfc-editor.org/rfc/rfc6761 (localhost, test), https://www.rfc-editor.org/rfc/rfc6762#section-3 (local),
 * https://www.rfc-editor.org/rfc/rfc8375 (home.arpa), https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en (internal)
 */
const UNREGISTRABLE = ['.localhost', '.test', '.local', '.home.arpa', '.internal'];

/**
 * Refuses requests for a host name that somebody else could own, unless `ALLOWED_HOSTS` lists it. Without this check a
 * page on `evil.example` could point its own name at this machine once it is loaded (DNS rebinding): to the browser the
 * service is then part of the page's site, and every answer readable. Where a token is set the check is not needed: such a
 * page does not have it. `X-Forwarded-Host` is ignored, since any client can send it.
 */
export const hosts = httpPlugin('hosts', [], (http, { config }) => {
  if (config.apiToken !== null) return;
  const allowed = new Set(config.allowedHosts);
  http.addHook('onRequest', (request, _reply, done) => {
    const name = hostName(request.raw.headers.host ?? '');
    if (isOurs(name) || allowed.has(name)) done();
    else done(hostNotAllowed(name));
  });
});

/** The name or address in a `Host` header: without port, brackets and trailing dot, in lower case. */
function hostName(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [
    undefined,
    undefined,
    host,
  ];
  return (address ?? name).toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a name cannot be that of a page on the internet: an address, a name without a dot, or one in a domain that nobody
 * can register. Browsers always send a name; without one (HTTP/1.0) it is no browser.
 */
function isOurs(name: string): boolean {
  if (isIP(name) !== 0 || !name.includes('.')) return true;
  return UNREGISTRABLE.some((domain) => name.endsWith(domain)) || isShortAddress(name);
}

/** `127.1`: no top-level domain is a number, so that browsers and curl take it for an IPv4 address. https://url.spec.whatwg.org/#ends-in-a-number-checker */
function isShortAddress(name: string): boolean {
  return /\.(\d+|0x[0-9a-f]*)$/.test(name);
}
