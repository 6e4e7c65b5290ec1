/** What is used of https://github.com/jshttp/negotiator 1; the published types are those of 0.6, without `preferred`. */
declare module 'negotiator' {
  export default class Negotiator {
    constructor(request: { readonly headers: Readonly<Record<string, string | undefined>> });
    /** The encodings of `available` that the client accepts, best first; `preferred` decides among equal weights. */
    encodings(available: readonly string[], options: { readonly preferred: readonly string[] }): string[];
  }
}
