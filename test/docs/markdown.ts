import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/base/project.js';

/** What the tests of the documentation look at in a page. */

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** What GitHub makes of it behind a `#`. */
  readonly anchor: string;
}

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of the first line inside, from 1. */
  readonly line: number;
}

export interface Page {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
  readonly headings: readonly Heading[];
  readonly blocks: readonly CodeBlock[];
  /** Where its links lead, in order; pictures apart. */
  readonly links: readonly string[];
  readonly images: readonly string[];
  /** What stands between backquotes in a line of text. */
  readonly codeSpans: readonly string[];
}

const BLOCK = /^```(\w*)\n(.*?)^```$/gms;
const LINK = /(!?)\[(?:[^[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)/g;

export function readPage(path: string): Page {
  const text = readFileSync(join(projectRoot, path), 'utf8');
  const prose = text.replaceAll(BLOCK, '');
  const targets = [...prose.matchAll(LINK)].map(([, mark, target]) => ({ mark, target: target! }));
  return {
    path,
    text,
    headings: headingsOf(prose),
    blocks: Array.from(text.matchAll(BLOCK), (match) => ({
      language: match[1]!,
      text: match[2]!,
      line: text.slice(0, match.index).split('\n').length + 1,
    })),
    links: targets.filter(({ mark }) => mark === '').map(({ target }) => target),
    images: targets.filter(({ mark }) => mark === '!').map(({ target }) => target),
    codeSpans: Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, code]) => code!),
  };
}

/** https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/table_of_contents_filter.rb */
function headingsOf(prose: string): Heading[] {
  const times = new Map<string, number>();
  return Array.from(prose.matchAll(/^(#{1,6}) (.+)$/gm), ([, marks, text]) => {
    const base = text!
      .replaceAll(LINK, (link) => link.slice(1, link.indexOf(']')))
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    const time = times.get(base) ?? 0;
    times.set(base, time + 1);
    return { level: marks!.length, text: text!, anchor: time === 0 ? base : `${base}-${time}` };
  });
}

/** Commands of a block for a shell, without comments and empty lines. */
export function commandsOf({ text }: CodeBlock): string[] {
  return withoutComments(text)
    .split('\n')
    .filter((line) => line !== '');
}

/** A `#` at the start of a line or behind a space begins one, in a shell and in YAML. */
export const withoutComments = (text: string) => text.replaceAll(/(?:^|[ \t]+)#.*$/gm, '');
