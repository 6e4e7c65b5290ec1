import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import { closest } from '../base/closest.js';
import { ConfigMistakes } from '../config/mistakes.js';

export const FORMATS = ['csv', 'json', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** What is dumped, and to where. */
export interface DumpOptions {
  readonly table: string;
  /** The file's path; null: standard output. */
  readonly output: string | null;
  readonly format: Format;
  /** Filters as in a URL: `price__gt=5`, also by a path: `address.city=Bern`. All must hold. */
  readonly where: readonly (readonly [name: string, value: string])[];
  /** The columns, in this order, as the configuration names them: attributes, or paths; null: all. */
  readonly columns: readonly string[] | null;
  /** Read capacity units per second; null: no limit. */
  readonly maxCapacity: number | null;
  /** Segments of the parallel Scan; null: by the table's size. */
  readonly segments: number | null;
  readonly region: string | null;
  readonly consistent: boolean;
  /** Drops what an interrupted dump left, and begins again. */
  readonly restart: boolean;
  readonly quiet: boolean;
}

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  format: { type: 'string' },
  where: { type: 'string', multiple: true },
  columns: { type: 'string' },
  'max-capacity': { type: 'string' },
  segments: { type: 'string' },
  region: { type: 'string' },
  consistent: { type: 'boolean' },
  restart: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What `dynamo-csv dump --help` prints. */
export const USAGE = `Writes one DynamoDB table to a file, once and complete.

  dynamo-csv dump orders > orders.csv
  dynamo-csv dump orders -o orders.parquet --where status=open --where price__gt=5

  -o, --output FILE     the file; without it rows go to standard output. An interrupted dump to a file is continued
                        by the same command
      --format FORMAT   csv, json or parquet; by default what the file's name says, else csv
      --where FILTER    only rows like these, as in the URL of the service: status=open, price__gt=5, city__in=a,b.
                        May be repeated. The whole table is read nevertheless
      --columns A,B     only these columns, in this order. A table has no list of its attributes: a name that the first
                        items lack is reported at once, and an error at the end if no item has it
                        Both take paths into maps and lists: address.city, tags[0]
      --max-capacity N  at most so many read capacity units per second
      --segments N      parallel Scan segments; by default by the table's size
      --region REGION   the AWS region; by default the one of AWS_REGION or ~/.aws
      --consistent      strongly consistent reads, at twice the price
      --restart         begins again in place of continuing
  -q, --quiet           no progress on standard error
  -h, --help            prints this

Exit codes: 0 the table is complete, 1 it failed, 78 a mistake on the command line, 130 interrupted, 141 whoever read
standard output, such as head, ended first.
`;

/** Reads the command line behind `dump`; null: help is asked for. Throws `ConfigMistakes`, a line for each mistake. */
export function readDumpOptions(argv: readonly string[]): DumpOptions | null {
  const { tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const tables: string[] = [];
  const given = new Map<keyof typeof OPTIONS, string[]>();
  const mistakes: string[] = [];
  /** Where a word is most likely the value of an option that is not known, or lacks its own. */
  let doubtful = Number.NaN;
  for (const token of tokens) {
    if (token.kind === 'positional' && token.index !== doubtful) tables.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!isKnown(name)) {
      mistakes.push(unknown(rawName));
      doubtful = token.index + 1;
    } else if (OPTIONS[name].type === 'boolean') given.set(name, ['true']);
    // Behind an option without its value the next one is taken for it; `--output=-x` is meant.
    else if (!value || (!token.inlineValue && /^-[^\d]/.test(value))) {
      mistakes.push(`${rawName} needs a value`);
      doubtful = token.index + 2;
    } else given.set(name, [...(given.get(name) ?? []), value]);
  }
  if (given.has('help')) return null;
  const options = optionsOf(tables, given, mistakes);
  if (mistakes.length > 0) throw new ConfigMistakes(mistakes.map((line) => `dump: ${line}`));
  return options;
}

const isKnown = (name: string): name is keyof typeof OPTIONS => Object.hasOwn(OPTIONS, name);

function unknown(rawName: string): string {
  const guess = closest(
    rawName,
    Object.keys(OPTIONS).map((name) => `--${name}`),
  );
  return `${rawName} is not known; ${guess === undefined ? 'see dynamo-csv dump --help' : `did you mean ${guess}?`}`;
}

function optionsOf(
  tables: readonly string[],
  given: ReadonlyMap<keyof typeof OPTIONS, readonly string[]>,
  mistakes: string[],
): DumpOptions {
  const last = (name: keyof typeof OPTIONS) => given.get(name)?.at(-1) ?? null;
  if (tables.length !== 1)
    mistakes.push(
      tables.length === 0
        ? 'name a table, such as dynamo-csv dump orders'
        : 'name one table; each dump has one',
    );
  const output = last('output');
  return {
    table: tables[0] ?? '',
    output: output === '-' ? null : output,
    format: formatOf(last('format'), output, mistakes),
    where: (given.get('where') ?? []).map((text) => filterOf(text, mistakes)),
    columns: columnsOf(last('columns')),
    maxCapacity: numberOf('--max-capacity', last('max-capacity'), mistakes, 1e6),
    segments: numberOf('--segments', last('segments'), mistakes, MOST_SEGMENTS),
    region: last('region'),
    consistent: given.has('consistent'),
    restart: given.has('restart'),
    quiet: given.has('quiet'),
  };
}

/** DynamoDB's own limit. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html */
const MOST_SEGMENTS = 1_000_000;

function formatOf(text: string | null, output: string | null, mistakes: string[]): Format {
  const ending = extname(output ?? '')
    .slice(1)
    .toLowerCase();
  const wanted = text ?? (FORMATS.some((known) => known === ending) ? ending : 'csv');
  const format = FORMATS.find((known) => known === wanted);
  if (format === undefined)
    mistakes.push(
      `--format: there is no format ${JSON.stringify(wanted)}; write one of ${FORMATS.join(', ')}`,
    );
  return format ?? 'csv';
}

function filterOf(text: string, mistakes: string[]): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0)
    mistakes.push(`--where: ${JSON.stringify(text)} is not a filter; write status=open or price__gt=5`);
  return [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
}

/** A name in quotes, or a part of a path in quotes, may have commas; the quotes stay for whoever reads the path. */
const NAME_IN_LIST = /(?:"(?:[^"\\]|\\.)*"|[^,])+/g;

function columnsOf(text: string | null): readonly string[] | null {
  if (text === null) return null;
  const names = (text.match(NAME_IN_LIST) ?? []).map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '');
}

function numberOf(option: string, text: string | null, mistakes: string[], most: number): number | null {
  if (text === null) return null;
  if (/^[1-9]\d{0,6}$/.test(text) && Number(text) <= most) return Number(text);
  mistakes.push(`${option}: ${JSON.stringify(text)} is not a whole number from 1 to ${most}`);
  return null;
}
