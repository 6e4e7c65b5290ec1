import { parseArgs } from 'node:util';
import { closest } from '../base/closest.js';
import { ConfigMistakes } from '../config/mistakes.js';
import { show } from '../options/mistakes.js';

/** An option of the command line. */
interface Option {
  readonly type: 'boolean' | 'string';
  readonly short?: string;
  readonly multiple?: true;
  /** How `--help` writes its value: `USD`. */
  readonly value?: string;
  readonly summary: string;
}

/** What starts the service, in the order of `--help`. */
export const OPTIONS = {
  all: { type: 'boolean', summary: 'every table of the region that the credentials may read' },
  exclude: {
    type: 'string',
    multiple: true,
    value: 'PATTERN',
    summary: "leaves tables out, such as '*-backup'; may be repeated",
  },
  budget: {
    type: 'string',
    value: 'USD',
    summary: 'the most that reading may cost in a month; 5 with --all or patterns, else no limit',
  },
  changes: { type: 'boolean', summary: 'also records what changes between two polls' },
  region: {
    type: 'string',
    value: 'REGION',
    summary: 'the AWS region; by default the one of AWS_REGION or ~/.aws',
  },
  port: { type: 'string', short: 'p', value: 'PORT', summary: 'the port to listen on; 8080 by default' },
  data: {
    type: 'string',
    short: 'd',
    value: 'FOLDER',
    summary: 'the data folder; ./dynamo-csv-data by default',
  },
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    summary: 'a configuration file, in place of names; ./dynamo-csv.yaml is used if it exists',
  },
  check: { type: 'boolean', summary: 'says what is readable and what reading costs, and ends' },
  init: {
    type: 'boolean',
    summary: 'writes dynamo-csv.yaml, or the file of --config, for these tables, and ends',
  },
  help: { type: 'boolean', short: 'h', summary: 'prints this' },
  version: { type: 'boolean', short: 'v', summary: 'prints the version' },
} as const satisfies Readonly<Record<string, Option>>;

type Name = keyof typeof OPTIONS;

/** The command line without a subcommand. */
export interface Arguments {
  /** Names of tables, and patterns such as `prod-*`. */
  readonly tables: readonly string[];
  readonly flags: ReadonlySet<Name>;
  /** Values by option; of an option that may be repeated, all. */
  readonly values: ReadonlyMap<Name, readonly string[]>;
}

/** Options that are easily written without their dashes. */
const EASILY_BARE: readonly string[] = ['all', 'check', 'init', 'help', 'version'];

/**
 * Reads a command line that does not begin with one of the commands. Throws `ConfigMistakes` with a line for each unknown
 * option, each missing or surplus value, and each word that is hardly meant as a table's name.
 */
export function readCommandLine(argv: readonly string[], commands: readonly string[] = []): Arguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const tables: string[] = [];
  const flags = new Set<Name>();
  const values = new Map<Name, string[]>();
  const mistakes: string[] = [];
  let isBehindDashes = false;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') isBehindDashes = true;
    if (token.kind === 'positional') {
      const mistake = isBehindDashes ? null : noTable(token.value, commands);
      if (mistake === null) tables.push(token.value);
      else mistakes.push(mistake);
    }
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option: Option | null = isKnown(name) ? OPTIONS[name] : null;
    if (option === null || !isKnown(name)) {
      mistakes.push(`${show(rawName)} is not known; ${remedyFor(rawName)}`);
    } else if (option.type === 'boolean') {
      if (value === undefined) flags.add(name);
      else mistakes.push(`${rawName} takes no value; write ${rawName} alone`);
    } else if (value === undefined || value === '' || (!token.inlineValue && value.startsWith('-'))) {
      mistakes.push(`${rawName} needs a value; write ${rawName} ${option.value}`);
    } else if (values.has(name) && option.multiple !== true) {
      mistakes.push(`${rawName} is there twice; keep one`);
    } else {
      values.set(name, [...(values.get(name) ?? []), value]);
    }
  }
  if (mistakes.length > 0) throw new ConfigMistakes(mistakes.map((line) => `command line: ${line}`));
  return { tables, flags, values };
}

/** What is wrong with a table's name that is a command or an option without its dashes; null: nothing. */
function noTable(word: string, commands: readonly string[]): string | null {
  const table = `a table of that name goes behind --, as in: dynamo-csv -- ${word}`;
  if (EASILY_BARE.includes(word)) return `${show(word)} is an option; write --${word} (${table})`;
  if (commands.includes(word)) return `${show(word)} is a command and comes first (${table})`;
  return null;
}

function isKnown(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name);
}

function remedyFor(rawName: string): string {
  const known = Object.keys(OPTIONS).map((name) => `--${name}`);
  const guess = rawName.startsWith('--') ? closest(rawName, known) : undefined;
  return guess === undefined ? 'see dynamo-csv --help' : `did you mean ${guess}?`;
}
