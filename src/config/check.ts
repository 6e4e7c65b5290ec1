import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { KINDS, type Kind, type KindName } from './kinds.js';
import { type Mistake, meant, type Path, show } from './mistakes.js';

/** The keywords of our schemas that this file walks by; leaves are checked by TypeBox. */
interface Node extends TSchema {
  readonly kind?: KindName;
  readonly keyKind?: KindName;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly minItems?: number;
  readonly anyOf?: readonly Node[];
}

/** Names that people look for in this file and that stand elsewhere; by their letters only. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  port: 'set it as environment variable PORT',
  host: 'set it as environment variable HOST',
  loglevel: 'set it as environment variable LOG_LEVEL',
  apitoken: 'set it as environment variable API_TOKEN, so that no secret stands in a file',
  token: 'set it as environment variable API_TOKEN, so that no secret stands in a file',
  allowedhosts: 'set it as environment variable ALLOWED_HOSTS',
  corsorigin: 'set it as environment variable CORS_ORIGIN',
  allowsql: 'set it as environment variable ALLOW_SQL',
  awsprofile: "set it as the AWS SDK's environment variable AWS_PROFILE",
  accesskeyid: "leave credentials to the AWS SDK's own chain (environment, ~/.aws, instance profile)",
  secretaccesskey: "leave credentials to the AWS SDK's own chain (environment, ~/.aws, instance profile)",
  endpoint: "set it as the AWS SDK's environment variable AWS_ENDPOINT_URL_DYNAMODB",
};

/** Options under the names other tools give them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  name: 'as',
  alias: 'as',
  append: 'log',
  every: 'interval',
  attributes: 'columns',
  fields: 'columns',
  order: 'columns',
  tz: 'timeZone',
  folder: 'data',
  ec2: 'instances',
  history: 'changes',
  diff: 'changes',
};

/**
 * Compares a value with its schema and returns what of it is right: wrong values and unknown keys are left out, so that
 * what follows can be checked too. `mistakes` receives each of them.
 */
export function check(schema: TSchema, value: unknown, mistakes: Mistake[], path: Path = []): unknown {
  const node = schema as Node;
  if (node.properties !== undefined) return checkOptions(node, value, mistakes, path);
  if (node.patternProperties !== undefined) return checkEntries(node, value, mistakes, path);
  const list = node.items === undefined ? node.anyOf?.find((branch) => branch.items !== undefined) : node;
  if (list !== undefined && (Array.isArray(value) || list === node))
    return checkList(list, value, mistakes, path);
  return checkLeaf(node, value, mistakes, path);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkOptions(node: Node, value: unknown, mistakes: Mistake[], path: Path): unknown {
  if (value === null) return {};
  if (!isMapping(value)) {
    mistakes.push({
      path,
      wrong: `${show(value)} is not a set of options`,
      remedy: 'write options as name: value, or {} for none',
    });
    return undefined;
  }
  const known = node.properties ?? {};
  const right: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const option = Object.hasOwn(known, key) ? known[key] : undefined;
    if (option === undefined) mistakes.push(unknownOption(key, Object.keys(known), [...path, key]));
    else keep(right, key, check(option, child, mistakes, [...path, key]));
  }
  return right;
}

function unknownOption(key: string, known: readonly string[], path: Path): Mistake {
  const letters = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  const elsewhere = Object.hasOwn(ELSEWHERE, letters) ? ELSEWHERE[letters] : undefined;
  const synonym = Object.hasOwn(SYNONYMS, letters) ? SYNONYMS[letters] : undefined;
  const guess = meant(key, known) ?? (synonym !== undefined && known.includes(synonym) ? synonym : undefined);
  const remedy =
    guess !== undefined
      ? `did you mean ${guess}?`
      : (elsewhere ?? `the options here are ${known.join(', ')}`);
  return { path, wrong: 'there is no such option', remedy };
}

function checkEntries(node: Node, value: unknown, mistakes: Mistake[], path: Path): unknown {
  if (value === null) return {};
  if (!isMapping(value)) {
    const names = Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '');
    const remedy =
      names && node.keyKind === 'tableName'
        ? `write each as a key, such as ${value[0] ?? 'my-table'}: {}`
        : 'write entries as name: value';
    mistakes.push({ path, wrong: `${show(value)} is not a list of named entries`, remedy });
    return undefined;
  }
  const [[pattern, entry] = ['', undefined]] = Object.entries(node.patternProperties ?? {});
  const right: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const wrongKey = key === '' || !new RegExp(pattern, 'u').test(key);
    if (wrongKey) mistakes.push(wrongValue(node.keyKind, key, [...path, key]));
    const checked = entry === undefined ? child : check(entry, child, mistakes, [...path, key]);
    if (!wrongKey) keep(right, key, checked);
  }
  return right;
}

function checkList(node: Node, value: unknown, mistakes: Mistake[], path: Path): unknown {
  if (!Array.isArray(value)) {
    const single = node.items !== undefined && isRight(node.items, value);
    const remedy = single
      ? `write it as [${String(value)}]`
      : 'write it as a list in brackets, such as [a, b]';
    mistakes.push({ path, wrong: `${show(value)} is not a list`, remedy });
    return undefined;
  }
  if (value.length < (node.minItems ?? 0)) {
    mistakes.push({ path, wrong: 'the list is empty', remedy: 'name at least one, or leave the option out' });
    return undefined;
  }
  const right: unknown[] = [];
  value.forEach((item, index) => {
    const at = [...path, String(index)];
    const checked = node.items === undefined ? item : check(node.items, item, mistakes, at);
    if (checked === undefined) return;
    if (right.includes(checked))
      mistakes.push({ path: at, wrong: `${show(item)} is there twice`, remedy: 'keep one' });
    else right.push(checked);
  });
  return right.length < (node.minItems ?? 0) ? undefined : right;
}

function checkLeaf(node: Node, value: unknown, mistakes: Mistake[], path: Path): unknown {
  const kind: Kind | undefined = node.kind === undefined ? undefined : KINDS[node.kind];
  if (!Value.Check(node, value)) {
    mistakes.push(wrongValue(node.kind, value, path));
    return undefined;
  }
  const refused = kind?.refuse?.(value) ?? null;
  if (refused === null) return value;
  mistakes.push({ path, ...refused });
  return undefined;
}

/** `"30 sec" is not a duration; write it as 30s`. */
function wrongValue(name: KindName | undefined, value: unknown, path: Path): Mistake {
  const kind: Kind = KINDS[name ?? 'text'];
  if (value === null || value === '') {
    return { path, wrong: 'the value is empty', remedy: `write ${kind.write}, or leave it out` };
  }
  const guess = isMapping(value) || Array.isArray(value) ? null : (kind.guess?.(value) ?? null);
  const remedy = guess === null ? `write ${kind.write}` : `write it as ${guess}`;
  return { path, wrong: `${show(value)} is not ${kind.what}`, remedy };
}

function isRight(node: Node, value: unknown): boolean {
  return Value.Check(node, value);
}

/** Sets an own property, `__proto__` included. */
function keep(target: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) return;
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
