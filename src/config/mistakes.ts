import { closestMatch } from 'leven';

/** EX_CONFIG of sysexits.h: "something was found in an unconfigured or misconfigured state". */
export const EXIT_CONFIGURATION = 78;

/** Where a value stands in the configuration file, from the top: `['tables', 'flag-dynamodb', 'interval']`. */
export type Path = readonly string[];

/** One thing that is wrong in the configuration file: what it is and what to do. */
export interface Mistake {
  readonly path: Path;
  /** What is wrong, after the path: `"30 sec" is not a duration`. */
  readonly wrong: string;
  /** An imperative without a full stop: `write it as 30s`. */
  readonly remedy: string;
}

/** Everything that is wrong with the configuration, at once. The process ends with `exitCode` before anything is touched. */
export class ConfigMistakes extends Error {
  override readonly name = 'ConfigMistakes';
  readonly code = 'CONFIG_MISTAKES';
  readonly exitCode = EXIT_CONFIGURATION;
  /** One line each: where, what is wrong, the remedy. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}

/** `tables.flag-dynamodb.interval`; a key that would be misread between dots stands in brackets: `tables["a.b"]`. */
export function formatPath(path: Path): string {
  return path.reduce((text, key) => {
    if (/^\d+$/.test(key) && text !== '') return `${text}[${key}]`;
    if (!/^[\w-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A value as a mistake shows it: JSON, cut where it gets long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

/** The candidate that was probably meant, or undefined when none is close: at most a third of the letters may differ. */
export function meant(text: string, candidates: readonly string[]): string | undefined {
  const same = candidates.find((candidate) => candidate.toLowerCase() === text.toLowerCase());
  if (same !== undefined) return same;
  return closestMatch(text, candidates, { maxDistance: Math.max(1, Math.floor(text.length / 3)) });
}
