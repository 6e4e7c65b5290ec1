import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { Kind } from '../../options/kinds.js';
import type { MistakeReport } from '../../options/mistakes.js';
import { PUBLISHED_NAME, words } from '../../options/schema.js';
import { Region } from '../aws/region.js';
import type { ConfiguredSource } from '../kind.js';
import { configuredTable } from './kind.js';
import { TableOptions, TablesOption, tableConfig } from './options.js';

const pattern: Kind = {
  what: 'a pattern for names of tables',
  write: 'letters, digits, "_", "-", "." and * for any text, such as prod-*',
};

const budget: Kind = {
  what: 'an amount of US dollars',
  write: 'a number from 0.01, such as 10 (US dollars per month)',
  guess(value) {
    const amount = /^\s*(?:usd|us\$|\$)?\s*(\d+(?:\.\d+)?)\s*(?:usd|\$|dollars?)?\s*$/i.exec(
      String(value),
    )?.[1];
    return amount !== undefined && Number(amount) >= 0.01 ? amount : null;
  },
};

const tables: Kind = {
  what: 'a list of tables',
  write: 'each table as a key, such as tables: { my-table: {} }, or all for every table of the region',
  guess: (value) => (/^['"]?(all|\*)['"]?$/i.test(String(value)) ? 'all' : null),
};

/** US dollars per month. */
export const Usd = (description: string) =>
  Type.Number({ ...words({ description, examples: [10], kind: budget }), minimum: 0.01 });

const Pattern = Type.String({ pattern: '^[A-Za-z0-9_.*-]{1,255}$', kind: pattern });

const {
  as: _published,
  table: _table,
  endpoint: _endpoint,
  role: _role,
  externalId: _externalId,
  sessionName: _sessionName,
  ...patternOptions
} = TableOptions.properties;

/** The option `tables`: names with options, or `all`. */
export const Tables = Type.Union([Type.Literal('all'), TablesOption], {
  ...words({
    description:
      'The DynamoDB tables by name, each with its options; or `all`: every table of the region, as with `discover: {}`.',
    default: {},
    examples: [{ 'my-table': {} }, 'all'],
  }),
  kind: tables,
});

/** The option `discover`: tables that are found by their names. */
export const DiscoverOption = Type.Object(
  {
    include: Type.Optional(
      Type.Array(Pattern, {
        ...words({
          description: 'Patterns of the names of tables to publish; `*` is any text.',
          default: ['*'],
          examples: [['prod-*']],
        }),
        uniqueItems: true,
        minItems: 1,
      }),
    ),
    exclude: Type.Optional(
      Type.Array(Pattern, {
        ...words({
          description: 'Patterns of the names of tables to leave out.',
          default: [],
          examples: [['*-backup']],
        }),
        uniqueItems: true,
      }),
    ),
    budget: Type.Optional(
      Usd('The most that reading the tables found may cost in a month, in US dollars. By default 5.'),
    ),
    region: Type.Optional(
      Region({
        description:
          'The AWS region whose tables are found. By default the one that the SDK finds (`AWS_REGION`, `~/.aws/config`, …).',
        examples: ['ap-northeast-2'],
      }),
    ),
    options: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9_.*-]{1,255}$' }),
        Type.Object(patternOptions, {
          ...words({
            description:
              'Options of the tables with such a name, as under `tables` but for `as`, `table`, `endpoint` and `role`.',
            synonyms: (TableOptions as { synonyms?: Record<string, string> }).synonyms ?? {},
          }),
          additionalProperties: false,
        }),
        {
          ...words({
            description:
              'Options of tables by pattern. Where several patterns match, all their options count, and the last one of each.',
            default: {},
            examples: [{ 'sensor-*': { changes: true } }],
          }),
          keyKind: pattern,
          additionalProperties: false,
        },
      ),
    ),
  },
  {
    ...words({
      description: 'Finds tables by their names, and publishes new ones without a restart.',
      synonyms: { match: 'include', patterns: 'include', ignore: 'exclude', tables: 'options' },
    }),
    additionalProperties: false,
  },
);

type Tables = Static<typeof Tables>;
type DiscoverOption = Static<typeof DiscoverOption>;
type PatternOptions = Omit<TableOptions, 'as'>;

/** US dollars per month for tables that nobody has named. */
const DEFAULT_BUDGET = 5;

/** Which tables are found by name; every default applied. */
export interface DiscoverConfig {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** US dollars per month; null: the budget of everything counts. */
  readonly budget: number | null;
  /** Null: the SDK finds it. */
  readonly region: string | null;
  readonly options: Readonly<Record<string, PatternOptions>>;
}

/** What the file says about finding tables; null: only named ones are read. */
export function discoverConfig(
  given: Tables | undefined,
  discover: DiscoverOption | undefined,
  overall: number | null,
): DiscoverConfig | null {
  if (given !== 'all' && discover === undefined) return null;
  const { include = ['*'], exclude = [], budget, region = null, options = {} } = discover ?? {};
  const own = budget ?? (overall === null ? DEFAULT_BUDGET : null);
  return { include, exclude, budget: own, region, options };
}

/** Reports options about finding tables that are valid alone but conflict. */
export function checkDiscover(
  given: Tables | undefined,
  discover: DiscoverOption | undefined,
  overall: number | undefined,
  report: MistakeReport,
): void {
  if (given === 'all' && discover !== undefined) {
    report.add({
      path: ['tables'],
      wrong: 'all stands for discover: {}, and discover is there, too',
      remedy: 'remove this option',
    });
  }
  if (overall !== undefined && discover?.budget !== undefined) {
    report.add({
      path: ['discover', 'budget'],
      wrong: 'there is a budget for everything already',
      remedy: 'keep one of the two',
    });
  }
}

/** Whether a table of that name is to be published. */
export function isWanted(table: string, { include, exclude }: DiscoverConfig): boolean {
  return include.some((one) => matches(one, table)) && !exclude.some((one) => matches(one, table));
}

/** `*` is any text; everything else is literal. Without a regular expression: many `*` would make one slow. */
export function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > name.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/** A table that was found, as a source that is published under `name`. */
export function discoveredTable(table: string, name: string, config: DiscoverConfig): ConfiguredSource {
  const matching = Object.entries(config.options).filter(([one]) => matches(one, table));
  const options: PatternOptions = Object.assign({}, ...matching.map(([, given]) => given));
  const region = options.region ?? config.region;
  const source = configuredTable(
    tableConfig(table, { ...options, as: name, ...(region === null ? {} : { region }) }),
  );
  // The Python script read tables that somebody had named.
  return { ...source, pythonScript: null };
}

/** Leaves room for `-changes` and for a number that tells two names apart. */
const LONGEST_NAME = 180;

/**
 * A published name for a table: its own, or as close to it as published names allow. A name that is taken, or one that had
 * to be changed and so may be another table's, gets a suffix that follows from the table's name.
 */
export function publishedNameFor(table: string, isTaken: (name: string) => boolean): string {
  if (isPublishable(table) && table.length <= LONGEST_NAME && !isTaken(table)) return table;
  const plain = table
    .replace(/\.(csv|parquet|json)$/i, '')
    .replace(/^[-.]+|[.]+$/g, '')
    .slice(0, LONGEST_NAME);
  const suffix = createHash('sha256').update(table).digest('hex').slice(0, 8);
  return plain === '' ? `table-${suffix}` : `${plain}-${suffix}`;
}

function isPublishable(name: string): boolean {
  return new RegExp(PUBLISHED_NAME).test(name) && !/\.(csv|parquet|json)$/i.test(name);
}
