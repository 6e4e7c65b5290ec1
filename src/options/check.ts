import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { closest } from '../base/closest.js';
import { type Kind, text } from './kinds.js';
import { type Mistake, type Path, show } from './mistakes.js';

/** The keywords of our schemas that this file walks by; leaves are checked by TypeBox. */
interface Node extends TSchema {
  readonly kind?: Kind;
  readonly keyKind?: Kind;
  readonly synonyms?: Readonly<Record<string, string>>;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly minItems?: number;
  readonly required?: readonly string[];
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

/** What goes with a value while it is checked. */
interface Checking {
  readonly mistakes: Mistake[];
  /** How the file writes the value at a path, where that is not how JavaScript would; null elsewhere. */
  written(path: Path): string | null;
}

/**
 * Compares a value with its schema and returns the valid part: invalid values and unknown keys are dropped, so that
 * the rest can still be checked. Each of them is added to `mistakes`. `written` returns the file's text of a value that
 * YAML reads as a number or a boolean (`0404`), so that mistakes quote it exactly.
 */
export function check(
  schema: TSchema,
  value: unknown,
  mistakes: Mistake[],
  written: Checking['written'] = () => null,
): unknown {
  return checkNode(schema as Node, value, { mistakes, written }, []);
}

function checkNode(node: Node, value: unknown, checking: Checking, path: Path): unknown {
  if (node.properties !== undefined) return checkOptions(node, value, checking, path);
  if (node.patternProperties !== undefined) return checkEntries(node, value, checking, path);
  const options = node.anyOf?.find((branch) => branch.properties !== undefined);
  if (options !== undefined && isMapping(value)) return checkOptions(options, value, checking, path);
  const list = node.items === undefined ? node.anyOf?.find((branch) => branch.items !== undefined) : node;
  const entries = node.anyOf?.find((branch) => branch.patternProperties !== undefined);
  if (entries !== undefined && (isMapping(value) || Array.isArray(value) || value === null))
    return checkEntries(entries, value, checking, path);
  if (list !== undefined && (Array.isArray(value) || list === node))
    return checkList(list, value, checking, path);
  return checkLeaf(node, value, checking, path);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkOptions(node: Node, value: unknown, checking: Checking, path: Path): unknown {
  if (value === null) return {};
  if (!isMapping(value)) {
    checking.mistakes.push({
      path,
      wrong: `${show(value)} is not a set of options`,
      remedy: 'write options as name: value, or {} for none',
    });
    return undefined;
  }
  const known = node.properties ?? {};
  const right: Record<string, unknown> = {};
  const mistakes = checking.mistakes.length;
  for (const [key, child] of Object.entries(value)) {
    const option = Object.hasOwn(known, key) ? known[key] : undefined;
    if (option === undefined) checking.mistakes.push(unknownOption(key, node, [...path, key]));
    else keep(right, key, checkNode(option, child, checking, [...path, key]));
  }
  const missing = (node.required ?? []).filter((key) => !Object.hasOwn(right, key));
  // A mistake in the name or the value says enough.
  if (missing.length > 0 && checking.mistakes.length === mistakes)
    checking.mistakes.push({ path, wrong: `${missing[0]} is missing`, remedy: `add ${missing[0]}` });
  return missing.length > 0 ? undefined : right;
}

function unknownOption(key: string, { properties = {}, synonyms = {} }: Node, path: Path): Mistake {
  const known = Object.keys(properties);
  const letters = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  const elsewhere = Object.hasOwn(ELSEWHERE, letters) ? ELSEWHERE[letters] : undefined;
  const synonym = Object.hasOwn(synonyms, letters) ? synonyms[letters] : undefined;
  const guess = closest(key, known) ?? synonym;
  const remedy =
    guess !== undefined
      ? `did you mean ${guess}?`
      : (elsewhere ?? `the options here are ${known.join(', ')}`);
  return { path, wrong: 'there is no such option', remedy };
}

function checkEntries(node: Node, value: unknown, checking: Checking, path: Path): unknown {
  if (value === null) return {};
  const [[pattern, entry] = ['', undefined]] = Object.entries(node.patternProperties ?? {});
  if (!isMapping(value)) {
    const names = Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== '');
    const remedy =
      names && entry?.properties !== undefined
        ? `write each as a key, such as ${value[0] ?? 'my-table'}: {}`
        : 'write entries as name: value';
    checking.mistakes.push({ path, wrong: `${show(value)} is not a list of named entries`, remedy });
    return undefined;
  }
  const right: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const wrongKey = key === '' || !new RegExp(pattern, 'u').test(key);
    if (wrongKey) checking.mistakes.push(wrongValue(node.keyKind, key, null, [...path, key]));
    const checked = entry === undefined ? child : checkNode(entry, child, checking, [...path, key]);
    if (!wrongKey) keep(right, key, checked);
  }
  return right;
}

function checkList(node: Node, value: unknown, checking: Checking, path: Path): unknown {
  if (!Array.isArray(value)) {
    const single = node.items !== undefined && isRight(node.items, value);
    const remedy = single
      ? `write it as [${String(value)}]`
      : 'write it as a list in brackets, such as [a, b]';
    checking.mistakes.push({ path, wrong: `${show(value)} is not a list`, remedy });
    return undefined;
  }
  if (value.length < (node.minItems ?? 0)) {
    checking.mistakes.push({
      path,
      wrong: 'the list is empty',
      remedy: 'name at least one, or leave the option out',
    });
    return undefined;
  }
  const right: unknown[] = [];
  value.forEach((item, index) => {
    const at = [...path, String(index)];
    const checked = node.items === undefined ? item : checkNode(node.items, item, checking, at);
    if (checked === undefined) return;
    if (right.includes(checked))
      checking.mistakes.push({ path: at, wrong: `${show(item)} is there twice`, remedy: 'keep one' });
    else right.push(checked);
  });
  return right.length < (node.minItems ?? 0) ? undefined : right;
}

function checkLeaf(node: Node, value: unknown, checking: Checking, path: Path): unknown {
  if (!Value.Check(node, value)) {
    checking.mistakes.push(wrongValue(node.kind, value, checking.written(path), path));
    return undefined;
  }
  const refused = node.kind?.refuse?.(value) ?? null;
  if (refused === null) return value;
  checking.mistakes.push({ path, ...refused });
  return undefined;
}

/** `"30 sec" is not a duration; write it as 30s`. */
function wrongValue(kind: Kind = text, value: unknown, written: string | null, path: Path): Mistake {
  if (value === null || value === '') {
    return { path, wrong: 'the value is empty', remedy: `write ${kind.write}, or leave it out` };
  }
  const guess =
    isMapping(value) || Array.isArray(value) ? null : (kind.guess?.(value, written ?? String(value)) ?? null);
  const remedy = guess === null ? `write ${kind.write}` : `write it as ${guess}`;
  return { path, wrong: `${written ?? show(value)} is not ${kind.what}`, remedy };
}

function isRight(node: Node, value: unknown): boolean {
  return Value.Check(node, value);
}

/** Sets an own property, `__proto__` included. */
function keep(target: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) return;
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
