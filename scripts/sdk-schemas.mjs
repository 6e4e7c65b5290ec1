/** The SDK's generated schemas, and what bundling them takes: used by `bundle-sdk.mjs`, held against the installed SDK by a test. */

/** Paths of the modules that `withLiteralNames` is made for. */
export const SCHEMA_MODULES = /[/\\]schemas_\d+\.js$/;

/**
 * The schemas name members by constants (`{ [_xN]: 1 }`). A bundler must assume that evaluating a computed name has a
 * side effect, and keeps all of them. Returns the text with literal names (`{ "xmlName": 1 }`), which mean the same.
 */
export function withLiteralNames(text) {
  const names = new Map(
    Array.from(text.matchAll(/^const (_\w+) = ("[^"]*");$/gm), ([, name, value]) => [name, value]),
  );
  return text.replace(/\[(_\w+)\]:/g, (computed, name) =>
    names.has(name) ? `${names.get(name)}:` : computed,
  );
}
