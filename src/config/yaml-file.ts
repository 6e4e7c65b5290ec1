import { readFile } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import type { Path } from '../options/mistakes.js';

/** A configuration file as read: its value, and where in the text each of its keys stands. */
export interface YamlFile {
  readonly value: unknown;
  /** Line of the key or list item at that path, from 1; null when it cannot be told. */
  lineOf(path: Path): number | null;
  /** The text of the value at that path where YAML reads it as something else: `0404`, `1e3`, `True`; null elsewhere. */
  written(path: Path): string | null;
  /** What is wrong with the text itself, one line each without the file's name; `value` is to be used only as far as `usable`. */
  readonly problems: readonly string[];
  readonly usable: boolean;
}

/** A path as a person at this prompt would write it: relative to the working directory where it lies below it. */
export function displayPath(file: string, workingDirectory = process.cwd()): string {
  const path = relative(workingDirectory, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}

/** Reads and parses the file. Why that failed (no such file, not text, not YAML) is in `problems`. Never rejects. */
export async function readYamlFile(file: string): Promise<YamlFile> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return unusable(unreadable(error as NodeJS.ErrnoException));
  }
  try {
    return parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return unusable('the file is not UTF-8 text; save it as UTF-8');
  }
}

const EXAMPLE = 'the least is one line, tables: { my-table: {} }';

function unusable(problem: string): YamlFile {
  return {
    value: undefined,
    lineOf: () => null,
    written: () => null,
    problems: [problem],
    usable: false,
  };
}

function unreadable(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no such file; create it (${EXAMPLE}) or name another by the environment variable CONFIG`;
    case 'EISDIR':
      return 'this is a folder; name the file in it by the environment variable CONFIG';
    case 'EACCES':
    case 'EPERM':
      return 'the file may not be read; allow the user of this process to read it';
    default:
      return `the file cannot be read (${error.code ?? error.message}); look at the disk or name another file by the environment variable CONFIG`;
  }
}

function parseYaml(source: string): YamlFile {
  const text = withQuotedPaths(source);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: isSameKey });
  const problems = document.errors.map((error) => explain(error, text, lines));
  if (problems.length === 0 && document.contents === null) return unusable(`the file is empty; ${EXAMPLE}`);
  keepNames(document);
  const onlyDuplicates = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  try {
    return {
      value: document.toJS(),
      lineOf: (path) => lineOf(document, lines, path),
      written: (path) => written(document, path),
      problems,
      usable: onlyDuplicates,
    };
  } catch (error) {
    const lost = aliasWithoutAnchor(document);
    if (lost !== null) {
      const { line, col } = lines.linePos(lost.range![0]);
      return unusable(
        `line ${line}, column ${col}: *${lost.source} is an alias without a &${lost.source} before it; write the value out, or correct the name`,
      );
    }
    // One that grows without bound.
    return unusable(`${(error as Error).message.split('\n')[0]}; write the values out instead of the alias`);
  }
}

/** A path with an index, as in `[address.city, tags[0]]`. */
const PATH = /[^\s,[\]{}'"#:]+(?:\[\d+\][^\s,[\]{}'"#:]*)+/y;
/** Paths that are quoted at most: each takes another look at the file. */
const MOST_QUOTED = 100;

/**
 * The text with quotes around paths like `tags[0]` in lists and mappings in brackets. There YAML takes the bracket for the
 * beginning of another list, which is an error behind a name, so no correct file is read in another way.
 */
function withQuotedPaths(text: string): string {
  let quoted = text;
  for (let count = 0; count < MOST_QUOTED; count++) {
    const next = withQuotedPath(quoted);
    if (next === null) break;
    quoted = next;
  }
  return quoted;
}

function withQuotedPath(text: string): string | null {
  for (const { code, pos } of parseDocument(text, { prettyErrors: false }).errors) {
    if (code !== 'MISSING_CHAR' || text[pos[0]] !== '[') continue;
    const before = /[^\s,[\]{}'"#:]*$/.exec(text.slice(0, pos[0]))?.[0] ?? '';
    PATH.lastIndex = pos[0] - before.length;
    const path = before === '' ? undefined : PATH.exec(text)?.[0];
    if (path !== undefined)
      return `${text.slice(0, pos[0] - before.length)}'${path}'${text.slice(PATH.lastIndex)}`;
  }
  return null;
}

/** `1e3` and `1000` are two names, although one number. */
function isSameKey(a: unknown, b: unknown): boolean {
  return a === b || (isScalar(a) && isScalar(b) && nameOf(a) === nameOf(b));
}

function nameOf({ value, source }: Scalar): unknown {
  return typeof value === 'string' ? value : source;
}

/** Keys are names: they stay as they are written, where YAML reads a number, a boolean or null (`1e3`, `1.100`, `no`). */
function keepNames(document: Document.Parsed): void {
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && typeof key.value !== 'string' && key.source !== undefined) key.value = key.source;
    },
  });
}

function written(document: Document.Parsed, path: Path): string | null {
  const node = nodeAt(document, path);
  if (!isScalar(node) || typeof node.value === 'string') return null;
  return node.source === undefined || node.source === '' ? null : node.source;
}

function nodeAt(document: Document.Parsed, path: Path): unknown {
  let node: unknown = document.contents;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node))
      node = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)?.value;
    else if (isSeq(node)) node = node.items[Number(key)];
    else return null;
  }
  return isAlias(node) ? node.resolve(document) : node;
}

function aliasWithoutAnchor(document: Document.Parsed): Alias.Parsed | null {
  let lost: Alias.Parsed | null = null;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      lost = alias as Alias.Parsed;
      return visit.BREAK;
    },
  });
  return lost;
}

function explain(error: YAMLError, text: string, lines: LineCounter): string {
  // A key behind one without a value is told from that one's end on.
  const isKey = error.code === 'DUPLICATE_KEY';
  const skipped = isKey ? (/^(\s|#.*)*/.exec(text.slice(error.pos[0]))?.[0].length ?? 0) : 0;
  const start = error.pos[0] + skipped;
  const { line, col } = lines.linePos(start);
  const where = `line ${line}, column ${col}`;
  if (isKey) {
    const key = /^("[^"\n]*"|'[^'\n]*'|[^:\s]+)/.exec(text.slice(start))?.[0] ?? 'a key';
    return `${where}: ${key} is there twice; keep one`;
  }
  if (error.code === 'MULTIPLE_DOCS') return `${where}: a second document begins here; keep one, without ---`;
  if (error.code === 'TAB_AS_INDENT') return `${where}: the line is indented by a tab; indent by spaces`;
  const message = (error.message.split('\n')[0] ?? '').replace(/[.:]$/, '');
  return `${where}: ${message.charAt(0).toLowerCase()}${message.slice(1)}; correct the YAML there`;
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | null {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? null;
  for (const key of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => (isScalar(item.key) ? String(item.key.value) : String(item.key)) === key,
      );
      if (pair === undefined) break;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(key)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else break;
  }
  return offset === null ? null : lines.linePos(offset).line;
}
