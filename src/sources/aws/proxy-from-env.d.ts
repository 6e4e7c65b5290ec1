declare module 'proxy-from-env' {
  /** The proxy for a URL by the environment's variables, or the empty string. */
  export function getProxyForUrl(url: string): string;
}
