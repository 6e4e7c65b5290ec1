import { closest } from '../base/closest.js';
import { show } from '../options/mistakes.js';

const KNOWN = ['--check', '--help'] as const;
const ALL =
  'there are --check, which tries the configuration and ends, and --help; all else stands in the configuration file';

/** What `--help` prints: the commands, and where all else is told. */
export const USAGE = `Serves DynamoDB tables as CSV, with their history.

  npm start              starts the service that the configuration file describes
  npm start -- --check   tries the configuration, says what polling costs, and ends
  npm start -- --help    prints this
  npm start -- verify    compares everything in the archive with its hashes
  npm start -- restore   writes the archive into an empty folder: --to FOLDER, and --at TIME for an earlier point
  npm start -- ddl       prints the tables for another engine: athena, trino, spark or duckdb, and a dataset or none

The environment variable CONFIG names the configuration file. Every option and variable: docs/configuration.md
`;

/** Whether `--help` (or `-h`) is among the arguments: then nothing else counts. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/** The command line: `--check` and nothing else. What it does not know goes to `mistakes`; help was given before. */
export function readArguments(args: readonly string[], mistakes: string[]): { readonly check: boolean } {
  for (const argument of args) {
    if (argument === '--check') continue;
    const guess = closest(argument, KNOWN);
    const remedy = guess === undefined ? ALL : `did you mean ${guess}?`;
    mistakes.push(`command line: ${show(argument)} is not known; ${remedy}`);
  }
  return { check: args.includes('--check') };
}
