import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';
import { formatBytes } from '../base/sizes.js';
import { formatCount } from '../config/check-report.js';
import type { Config } from '../config/config.js';
import type { AttributeValue } from '../sources/dynamodb/attributes.js';
import { isWanted, publishedNameFor } from '../sources/dynamodb/discover.js';
import type { TableConfig } from '../sources/dynamodb/options.js';
import { TableList, type TableSurvey } from '../sources/dynamodb/table-list.js';
import { timeRank } from '../windows/time-hint.js';

/** Milliseconds that AWS may take to answer for all tables. */
const PATIENCE = 120_000;
/** How YAML is written here. */
const ON_ONE_LINE = { lineWidth: 0, blockQuote: false } as const;
/** Attributes that are suggested for a table at most. */
const MOST_SUGGESTIONS = 8;

/**
 * `--init`: writes a configuration file for the tables that `config` describes, with what was found out about each as
 * comments. Resolves to the sentence to print. Rejects with a `DynamoCsvError` if the file exists or cannot be written, or
 * if the tables cannot be listed, or none of them be read.
 */
export async function init(config: Config, file: string, dataDir: string): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE);
  const region = config.discover?.region ?? config.tables[0]?.region ?? null;
  const list = new TableList({ region, capacityShare: 1 });
  try {
    const names = await namesOf(config, list, signal);
    const surveys = await Promise.all(names.map((name) => surveyOf(name, list, signal)));
    const unreadable = surveys.flatMap(({ problem }) => (problem === null ? [] : [problem]));
    if (names.length > 0 && unreadable.length === names.length) throw nothingReadable(unreadable[0]!);
    await write(file, fileText(config, surveys, dataDir));
    const count = counted(names.length - unreadable.length);
    const rest = unreadable.length === 0 ? '' : `; ${counted(unreadable.length)} cannot be read, see there`;
    return `Wrote ${file} with ${count}${rest}. Start with: npx dynamo-csv --config ${file}\n`;
  } finally {
    list.close();
  }
}

const counted = (tables: number) => `${formatCount(tables)} ${tables === 1 ? 'table' : 'tables'}`;

function nothingReadable(problem: string): DynamoCsvError {
  return new DynamoCsvError(
    'NOTHING_READABLE',
    `None of the tables can be read, so nothing was written. ${problem}`,
  );
}

async function namesOf({ tables, discover }: Config, list: TableList, signal: AbortSignal) {
  const named = tables.map(({ table }) => table);
  if (discover === null) return named;
  const found = (await list.names(signal)).filter((table) => isWanted(table, discover));
  return [...new Set([...named, ...found.sort()])];
}

interface Surveyed {
  readonly table: string;
  readonly survey: TableSurvey | null;
  /** Why it cannot be read; null: it can. */
  readonly problem: string | null;
}

async function surveyOf(table: string, list: TableList, signal: AbortSignal): Promise<Surveyed> {
  try {
    return { table, survey: await list.survey(table, signal), problem: null };
  } catch (error) {
    if (signal.aborted) return { table, survey: null, problem: 'AWS did not answer in time' };
    return { table, survey: null, problem: describeError(error) };
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    if (errorCode(cause) !== 'EEXIST')
      throw new DynamoCsvError('FILE_NOT_WRITTEN', `${file} cannot be written: ${describeError(cause)}`, {
        cause,
      });
    throw new DynamoCsvError('FILE_EXISTS', `${file} exists already`, {
      remedy: 'remove it, or name another file by --config',
      cause,
    });
  }
}

function fileText(config: Config, surveys: readonly Surveyed[], dataDir: string): string {
  const taken = new Set<string>();
  const budget = config.budget ?? config.discover?.budget ?? null;
  return `${[
    '# What dynamo-csv publishes. Every option: docs/configuration.md. Try changes with: npx dynamo-csv --check',
    '# Lines that begin with # are suggestions: remove the # to use one.',
    '',
    setting('data', dataDir),
    '',
    ...(budget === null
      ? [
          '# The most that reading may cost in a month, in US dollars: intervals are chosen so that it suffices.',
          '# budget: 10',
        ]
      : [
          '# US dollars that reading may cost in a month: intervals are chosen so that it suffices.',
          setting('budget', budget),
        ]),
    '',
    '# Publishes tables that are created later, too:',
    '# discover: { include: ["*"], exclude: [] }',
    '',
    ...(surveys.some(({ problem }) => problem === null) ? ['tables:'] : ['tables: {}']),
    ...surveys.flatMap((surveyed) => tableLines(surveyed, config, taken)),
  ].join('\n')}\n`;
}

/** One option as a line of YAML, with quotes where it needs them. */
function setting(name: string, value: unknown): string {
  return stringify({ [name]: value }, ON_ONE_LINE).trimEnd();
}

function tableLines({ table, survey, problem }: Surveyed, config: Config, taken: Set<string>): string[] {
  const key = stringify(table, ON_ONE_LINE).trimEnd();
  if (survey === null) return ['', `  # ${key} cannot be read: ${oneLine(problem ?? '')}`, `  # ${key}:`];
  const name = publishedNameFor(table, (one) => taken.has(one.toLowerCase()));
  for (const one of [name, `${name}-changes`]) taken.add(one.toLowerCase());
  const given = config.tables.find((one) => one.table === table) ?? null;
  const options = optionLines(table, name, given, config.discover?.region ?? null);
  const { items, bytes, billing, keys, streamView } = survey.description;
  const key2 = keys.map(({ name, type }) => `${name} (${type})`).join(', ');
  return [
    '',
    `  # ${formatCount(items)} ${items === 1 ? 'item' : 'items'}, ${formatBytes(bytes)}, ${billing}; key: ${oneLine(key2)}`,
    // Without an option it is not `{}`, below which a suggestion would be a mistake.
    `  ${key}:`,
    ...options.map((line) => `    ${line}`),
    ...suggestions(survey, streamView).map((line) => `    # ${line}`),
  ];
}

function optionLines(
  table: string,
  name: string,
  given: TableConfig | null,
  region: string | null,
): string[] {
  return [
    ...(name === table ? [] : [setting('as', name)]),
    ...(given?.changes === true ? ['changes: true'] : []),
    ...((given?.region ?? region) === null ? [] : [setting('region', given?.region ?? region)]),
  ];
}

/** Options that fit the item that was seen. */
function suggestions({ item }: TableSurvey, streamView: string | null): string[] {
  // A name with a line break cannot be written as an option.
  const attributes = Object.entries(item ?? {}).filter(([name]) => oneLine(name) === name);
  const times = timesIn(attributes);
  const numbers = attributes.filter(([, value]) => isNumberText(value)).map(([name]) => name);
  const maps = attributes.filter(([, { M }]) => M !== undefined).map(([name]) => name);
  return [
    'changes: true # keeps what changes, in a second dataset',
    ...times
      .slice(0, MOST_SUGGESTIONS)
      .map((name) => `${setting('time', name)} # windows such as ?last=1h refer to it`),
    ...(numbers.length === 0 ? [] : [typesLine(numbers.slice(0, MOST_SUGGESTIONS))]),
    ...(maps.length === 0 ? [] : ['expand: true # a column for each value inside of maps and lists']),
    ...(streamView === null ? [] : [`It has a stream (${oneLine(streamView)}).`]),
  ];
}

/** Numbers that an application keeps as text. */
function typesLine(names: readonly string[]): string {
  const types = Object.fromEntries(names.map((name) => [name, 'number']));
  return `types: ${stringify(types, { ...ON_ONE_LINE, collectionStyle: 'flow' }).trimEnd()}`;
}

function isNumberText({ S }: AttributeValue): boolean {
  return S !== undefined && /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(S);
}

/** Attributes that look like the time of the item, the likeliest first: as the hint of a window without a time has it. */
function timesIn(attributes: readonly (readonly [name: string, value: AttributeValue])[]): readonly string[] {
  return attributes
    .flatMap(([name, { S, N }]) => {
      const value = S ?? N;
      const rank = value === undefined ? null : timeRank(name, [value]);
      return rank === null ? [] : [{ name, rank }];
    })
    .sort((a, b) => a.rank - b.rank)
    .map(({ name }) => name);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ');
}
