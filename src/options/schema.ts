import { Type } from 'typebox';
import { boolean, column, days, duration, folder, type Kind, publishedName, size } from './kinds.js';

/**
 * The vocabulary of the configuration's schemas. A schema validates (`check.ts`), gives the type (`Static`), and is
 * published for editors as `config/dynamo-csv.schema.json`. Every option carries what a user asks for: `description`,
 * `default` where there is one, `examples`. `kind` words a wrong value.
 */
export interface Words {
  readonly kind?: Kind;
  /** The kind of the keys of a record. */
  readonly keyKind?: Kind;
  /** Of a set of options: option by the name that other tools give it, in lower case. */
  readonly synonyms?: Readonly<Record<string, string>>;
  readonly title?: string;
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** Keywords that mean something to this service only; they are left out of the published schema. */
export const OWN_KEYWORDS: ReadonlySet<string> = new Set(['kind', 'keyKind', 'synonyms']);

/** Options of a `Type.*` call, checked by the compiler. */
export const words = (options: Words) => options as Omit<Words, 'examples'> & { examples?: unknown[] };

/** The form of published names, as a regular expression. */
export const PUBLISHED_NAME = '^[A-Za-z0-9_]([A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?$';

export const Column = Type.String({ minLength: 1, kind: column });

export const Columns = (options: Words, list: { minItems?: number } = {}) =>
  Type.Array(Column, { ...words(options), ...list, uniqueItems: true });

export const Flag = (options: Words & { default: boolean }) =>
  Type.Boolean({ ...words(options), kind: boolean });

export const Duration = (options: Words) =>
  Type.String({ ...words(options), pattern: '^[0-9]{1,12}(ms|s|m|h|d|w)$', kind: duration });

export const ByteSize = (options: Words) =>
  Type.String({ ...words(options), pattern: '^[1-9][0-9]{0,8}(B|KB|MB|GB|TB)$', kind: size });

export const Days = (options: Words) =>
  Type.Union(
    [Type.Integer({ minimum: 1, maximum: 99_999 }), Type.String({ pattern: '^[1-9][0-9]{0,4}(d|w)$' })],
    { ...words(options), kind: days },
  );

export const PublishedName = (options: Words) =>
  Type.String({ ...words(options), pattern: PUBLISHED_NAME, kind: publishedName });

export const Folder = (options: Words) => Type.String({ ...words(options), minLength: 1, kind: folder });

/** The default that a schema states for an option; the one place where defaults stand. */
export function defaultOf<Value>(option: object): Value {
  return (option as { readonly default: Value }).default;
}
