import { meant, show } from './mistakes.js';

const KNOWN = ['--check'] as const;
const ONLY =
  'there is only --check, which tries the configuration and ends; all else stands in the configuration file';

/** The command line: `--check` and nothing else. What it does not know goes to `mistakes`. */
export function readArguments(args: readonly string[], mistakes: string[]): { readonly check: boolean } {
  for (const argument of args) {
    if ((KNOWN as readonly string[]).includes(argument)) continue;
    const guess = meant(argument, KNOWN);
    const remedy = guess === undefined ? ONLY : `did you mean ${guess}?`;
    mistakes.push(`command line: ${show(argument)} is not known; ${remedy}`);
  }
  return { check: args.includes('--check') };
}
