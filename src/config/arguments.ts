import { closest } from '../base/closest.js';
import { show } from '../options/mistakes.js';

const KNOWN = ['--check', '--help'] as const;
/** Those of the commands that somebody with a configuration file runs; they come first, and are not read here. */
const COMMANDS = ['verify', 'restore', 'ddl', 'dump', 'demo'] as const;
const ALL =
  'there are --check, which tries the configuration and ends, --help, and commands, which --help lists; all else stands in the configuration file';

/** What `--help` prints: the commands, and where all else is told. */
export const USAGE = `Serves DynamoDB tables as CSV, with their history.

  npm start              starts the service that the configuration file describes
  npm start -- --check   tries the configuration, says what polling costs, and ends
  npm start -- --help    prints this
  npm start -- verify    compares everything in the archive with its hashes, and reads every sealed day
  npm start -- restore   writes the archive into an empty folder: --to FOLDER, --at TIME for an earlier point, --days N
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
    mistakes.push(`command line: ${show(argument)} ${mistakeOf(argument)}`);
  }
  return { check: args.includes('--check') };
}

function mistakeOf(argument: string): string {
  if (COMMANDS.some((name) => name === argument)) return 'is a command; write it first';
  const guess = closest(argument, [...KNOWN, ...COMMANDS]);
  return `is not known; ${guess === undefined ? ALL : `did you mean ${guess}?`}`;
}
