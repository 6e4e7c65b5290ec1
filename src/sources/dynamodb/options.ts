import { type Static, Type } from 'typebox';
import { closest } from '../../base/closest.js';
import { type ItemTime, TIME_UNITS, type TimeUnit } from '../../csv/item-time.js';
import type { ColumnType } from '../../csv/rows.js';
import { boolean, column, type Kind, milliseconds, quoted } from '../../options/kinds.js';
import { Column, Columns, Duration, defaultOf, Flag, PublishedName, words } from '../../options/schema.js';
import { Region } from '../aws/region.js';
import { Keep, type Keeping, keepingOf, Retention } from '../keeping.js';
import { publishedColumn, renamedPaths } from './paths.js';
import { type AttributeFilter, attributeValue, type FilterValue } from './query/filter.js';
import { FilterOptions, IndexName, QueryOptions } from './query/options.js';
import type { QueryConfig, TargetOptions } from './query/target.js';
import type { Role } from './role.js';

/** A table by its ARN: partition, region, account and name. */
const TABLE_ARN = /^arn:(aws[a-z-]*):dynamodb:([a-z0-9-]+):(\d{12}):table\/([A-Za-z0-9_.-]{3,255})$/;

const tableName: Kind = {
  what: "a DynamoDB table's name",
  write:
    '3 to 255 letters, digits, "_", "-" or ".", or an ARN such as arn:aws:dynamodb:us-east-1:123456789012:table/orders',
  guess(value) {
    const table =
      /^(arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255})\/(?:index|stream)\//.exec(
        String(value),
      );
    if (table !== null) return table[1] ?? null;
    const arn = /^arn:[^:]+:dynamodb:([^:]*):[^:]*:table\/([\w.-]+)/.exec(String(value));
    return arn === null ? null : `${arn[2]} with region: ${arn[1]}`;
  },
};

const roleArn: Kind = {
  what: 'the ARN of an IAM role',
  write: 'one such as arn:aws:iam::123456789012:role/reader',
};

const externalId: Kind = {
  what: 'an external id',
  write: '2 to 1224 letters, digits or any of +=,.@:/-_',
  guess: quoted,
};

const sessionName: Kind = {
  what: 'the name of a session',
  write: '2 to 64 letters, digits or any of +=,.@-_',
  guess: quoted,
};

const endpoint: Kind = {
  what: 'the address of an endpoint',
  write: 'one such as http://localhost:8000',
  guess(value) {
    return /^[\w.-]+:\d+$/.test(String(value)) ? `http://${value}` : null;
  },
};

const segments: Kind = {
  what: 'a number of segments',
  write: 'auto or a whole number from 1 to 1024',
  guess: (value) => (String(value).toLowerCase().trim() === 'auto' ? 'auto' : null),
};

const capacity: Kind = {
  what: 'a number of read capacity units per second',
  write: 'a number from 1, or leave the option out for no limit',
  guess(value) {
    const number = /^\s*(\d+(?:\.\d+)?)\s*(?:rcu|units?)?(?:\/s)?\s*$/i.exec(String(value))?.[1];
    return number !== undefined && Number(number) >= 1 ? number : null;
  },
};

const megabytes: Kind = {
  what: 'a number of megabytes',
  write: 'a whole number from 1, or leave the option out',
  guess(value) {
    const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([mg]i?b?)?\s*$/i.exec(String(value)) ?? [];
    const size = Math.round(Number(number ?? 0) * (/^g/i.test(unit) ? 1000 : 1));
    return size >= 1 ? String(size) : null;
  },
};

const stream: Kind = {
  what: 'true, false or auto',
  write: 'true to follow the stream of the table, or auto to follow it while there is one',
  guess: (value) => (String(value).toLowerCase().trim() === 'auto' ? 'auto' : null),
};

const only: Kind = {
  what: 'a list of names or true',
  write: 'the attributes to keep, such as [count], or true for exactly those in columns',
};

const columnType: Kind = {
  what: 'a type of a column',
  write: 'number, string or boolean',
  guess(value) {
    const text = String(value).toLowerCase().trim();
    return TYPE_SYNONYMS[text] ?? closest(text, ['number', 'string', 'boolean']) ?? null;
  },
};

/** What DynamoDB, SQL and other languages call these types. */
const TYPE_SYNONYMS: Readonly<Record<string, string>> = {
  n: 'number',
  num: 'number',
  int: 'number',
  integer: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  bigint: 'number',
  numeric: 'number',
  s: 'string',
  str: 'string',
  text: 'string',
  varchar: 'string',
  bool: 'boolean',
};

const log: Kind = {
  what: 'true, false or append',
  write: 'true for the rows of every poll, or append for new items only',
  guess(value) {
    const word = String(value).trim().toLowerCase();
    return ['append', 'appended', 'appends', 'new'].includes(word)
      ? 'append'
      : (boolean.guess?.(value, word) ?? null);
  },
};

const itemTime: Kind = {
  what: "an attribute's name",
  write: 'the name of an attribute, such as created_at, or { attribute: ts, unit: ms }',
  guess: quoted,
};

const UNIT_WORDS: readonly (readonly [RegExp, TimeUnit])[] = [
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(ms|msecs?|millis|milliseconds?)$/i, 'ms'],
  [/^(us|[\u00b5\u03bc]s|usecs?|micros|microseconds?)$/i, 'us'],
];

const timeUnit: Kind = {
  what: 'a unit of times',
  write: 's, ms or us (seconds, milliseconds or microseconds since 1970)',
  guess: (value) => UNIT_WORDS.find(([word]) => word.test(String(value).trim()))?.[1] ?? null,
};
const TABLE_PATTERN =
  '^([A-Za-z0-9_.-]{3,255}|arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255})$';

export const TableOptions = Type.Object(
  {
    log: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal('append')], {
        ...words({
          description:
            'Append the rows of every poll, with its time as the last column, instead of keeping the latest rows only; `append`: only items that are new since the last poll, filed by their own `time`.',
          default: false,
          examples: [true, 'append'],
        }),
        kind: log,
      }),
    ),
    time: Type.Optional(
      Type.Union(
        [
          Type.String({ minLength: 1 }),
          Type.Object(
            {
              attribute: Type.String({
                ...words({ description: 'The name of the attribute.', examples: ['ts'] }),
                minLength: 1,
                kind: column,
              }),
              unit: Type.Optional(
                Type.Enum(TIME_UNITS, {
                  ...words({
                    description:
                      'The unit of its numbers: `s`, `ms` or `us` (microseconds). By default found out by their magnitude.',
                    examples: ['ms'],
                  }),
                  kind: timeUnit,
                }),
              ),
            },
            { additionalProperties: false },
          ),
        ],
        {
          ...words({
            description:
              'The attribute that is the time of an item: ISO 8601 text, or a number since 1970 in seconds, milliseconds or microseconds. Windows by time (`last`, `from`, `to`, `every`) refer to it.',
            examples: ['created_at', { attribute: 'ts', unit: 'ms' }],
          }),
          kind: itemTime,
        },
      ),
    ),
    changes: Type.Optional(
      Flag({
        description:
          'Also publish `<name>-changes`: one row per item inserted, updated or deleted between two polls.',
        default: false,
      }),
    ),
    interval: Type.Optional(
      Duration({
        description:
          'How often the table is read, from 100ms to 7d: a number with ms, s, m, h or d. With `stream`, how often at least: a stream is read every second while the table changes.',
        default: '30s',
        examples: ['500ms', '5m'],
      }),
    ),
    stream: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal('auto')], {
        ...words({
          description:
            "Read the table's DynamoDB Stream instead of the whole table: `true`, or `auto` to poll the table while it has no stream.",
          default: false,
          examples: [true, 'auto'],
        }),
        kind: stream,
      }),
    ),
    verify: Type.Optional(
      Duration({
        description:
          'With `stream`: how often the table is scanned beside it and compared. A difference is corrected and logged. By default never.',
        examples: ['24h'],
      }),
    ),
    columns: Type.Optional(
      Columns({
        description:
          'The order of the columns after the keys; other attributes follow by name. A column listed here exists even while no item has it. A path into a map or a list, `address.city` or `tags[0]`, makes a column of the value there.',
        default: [],
        examples: [['count'], ['address.city', 'tags[0]']],
      }),
    ),
    only: Type.Optional(
      Type.Union([Type.Literal(true), Columns({ description: 'The attributes to keep.' }, { minItems: 1 })], {
        ...words({
          description:
            'Keep only these attributes and the keys: a list, or `true` for exactly those in `columns`.',
          examples: [['count'], true],
        }),
        kind: only,
      }),
    ),
    rename: Type.Optional(
      Type.Record(Type.String(), Column, {
        ...words({
          description: 'Column names by attribute name, for columns with another name than their attribute.',
          default: {},
          examples: [{ pickup_zone_id: 'zone_id' }],
        }),
        keyKind: column,
      }),
    ),
    types: Type.Optional(
      Type.Record(Type.String(), Type.Enum(['number', 'string', 'boolean'], { kind: columnType }), {
        ...words({
          description:
            'Types of columns by attribute or column name: `number`, `string` or `boolean`. By default a column has the type of most of its values.',
          default: {},
          examples: [{ price: 'number', sku: 'string' }],
        }),
        keyKind: column,
      }),
    ),
    expand: Type.Optional(
      Flag({
        description:
          'Instead of a column of JSON for each map and list, a column for each value in it: `address.city`, `tags[0]`.',
        default: false,
      }),
    ),
    as: Type.Optional(
      PublishedName({
        description:
          'The published name: of the dataset, its URL and its file. By default the name of the table.',
        examples: ['zones'],
      }),
    ),
    region: Type.Optional(
      Region({
        description:
          "The table's AWS region. By default the one that the SDK finds (`AWS_REGION`, `~/.aws/config`, …).",
        examples: ['ap-northeast-2'],
      }),
    ),
    table: Type.Optional(
      Type.String({
        ...words({
          description:
            'The name or ARN of the DynamoDB table, if this entry has another name: to read one table in several ways, or tables of one name in several regions.',
          examples: ['orders', 'arn:aws:dynamodb:us-east-1:123456789012:table/orders'],
        }),
        pattern: TABLE_PATTERN,
        kind: tableName,
      }),
    ),
    endpoint: Type.Optional(
      Type.String({
        ...words({
          description:
            'Another endpoint than that of the region: of an emulator, or of a VPC endpoint. By default the one that the SDK finds (`AWS_ENDPOINT_URL_DYNAMODB`, …).',
          examples: ['http://localhost:8000'],
        }),
        pattern: '^https?://[^\\s/?#]+/?$',
        kind: endpoint,
      }),
    ),
    role: Type.Optional(
      Type.String({
        ...words({
          description: 'An IAM role to assume to read this table, for example of another account.',
          examples: ['arn:aws:iam::123456789012:role/reader'],
        }),
        pattern: '^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\\w+=,.@/-]+$',
        kind: roleArn,
      }),
    ),
    externalId: Type.Optional(
      Type.String({
        ...words({
          description: 'The external id that the trust policy of `role` asks for.',
          examples: ['grafana-7f3a'],
        }),
        pattern: '^[\\w+=,.@:/-]{2,1224}$',
        kind: externalId,
      }),
    ),
    sessionName: Type.Optional(
      Type.String({
        ...words({
          description: 'How CloudTrail names the sessions of `role`.',
          default: 'dynamo-csv',
          examples: ['grafana'],
        }),
        pattern: '^[\\w+=,.@-]{2,64}$',
        kind: sessionName,
      }),
    ),
    index: Type.Optional(IndexName),
    query: Type.Optional(QueryOptions),
    filter: Type.Optional(FilterOptions),
    consistent: Type.Optional(
      Flag({
        description: 'Strongly consistent reads: they see every confirmed write, at twice the cost.',
        default: false,
      }),
    ),
    segments: Type.Optional(
      Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1, maximum: 1024 })], {
        ...words({
          description: "Parallel segments of the Scan, from 1 to 1024; `auto` chooses by the table's size.",
          default: 'auto',
          examples: ['auto', 4],
        }),
        kind: segments,
      }),
    ),
    maxReadCapacity: Type.Optional(
      Type.Number({
        ...words({
          description:
            'The most read capacity units per second that reading this table may consume; polls take longer then. By default there is no limit.',
          examples: [25],
        }),
        minimum: 1,
        kind: capacity,
      }),
    ),
    maxPollMegabytes: Type.Optional(
      Type.Integer({
        ...words({
          description:
            "The most megabytes of DynamoDB's JSON that one poll may read; a larger table is an error. By default a quarter of the memory that this process may use.",
          examples: [4000],
        }),
        minimum: 1,
        kind: megabytes,
      }),
    ),
    keep: Type.Optional(Keep),
    retention: Type.Optional(Retention),
    timestampColumn: Type.Optional(
      Type.String({
        ...words({
          description:
            'The name of the time column of a log and of changes. By default `timestamp`, or `poll_timestamp` if the table has an attribute of that name.',
          examples: ['polled_at'],
        }),
        minLength: 1,
        kind: column,
      }),
    ),
  },
  {
    ...words({
      description: 'The options of this table. All are optional.',
      synonyms: {
        name: 'as',
        alias: 'as',
        every: 'interval',
        attributes: 'columns',
        fields: 'columns',
        order: 'columns',
        history: 'changes',
        diff: 'changes',
        type: 'types',
        flatten: 'expand',
        unnest: 'expand',
        explode: 'expand',
        schema: 'types',
        gsi: 'index',
        where: 'filter',
        arn: 'table',
        rolearn: 'role',
        assumerole: 'role',
        timestamp: 'time',
        timeattribute: 'time',
        timecolumn: 'time',
        timefield: 'time',
        createdat: 'time',
      },
    }),
    additionalProperties: false,
  },
);

/** The option `tables`: DynamoDB tables by name. */
export const TablesOption = Type.Record(Type.String({ pattern: TABLE_PATTERN }), TableOptions, {
  ...words({
    description: 'The DynamoDB tables by name or ARN, each with its options.',
    default: {},
    examples: [{ 'my-table': {} }],
  }),
  keyKind: tableName,
  additionalProperties: false,
});

export type TableOptions = Static<typeof TableOptions>;
export type TablesOption = Static<typeof TablesOption>;

/** A DynamoDB table to publish; every default applied. */
export interface TableConfig extends Keeping, TargetOptions {
  /** How the configuration names it: the key in `tables`. */
  readonly entry: string;
  /** The DynamoDB table's name or ARN. */
  readonly table: string;
  /** The published name: of the dataset, its URL and its file. */
  readonly name: string;
  readonly log: boolean;
  /** With `log`: only items that are new since the last poll. */
  readonly append: boolean;
  /** The attribute that is the time of an item, by its published name; null: none. */
  readonly time: ItemTime | null;
  readonly changes: boolean;
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
  /** `auto`: while the table has a stream. */
  readonly stream: boolean | 'auto';
  /** Milliseconds between two Scans that verify what the stream said; null: none. */
  readonly verify: number | null;
  /** Attributes, paths or renamed names, in the order of their columns after the keys. */
  readonly columns: readonly string[];
  /** The attributes to keep besides the keys (names as in `columns`); null: all. */
  readonly only: readonly string[] | null;
  /** Column name by attribute name or path. */
  readonly rename: Readonly<Record<string, string>>;
  /** Whether maps and lists become a column for each value in them. */
  readonly expand: boolean;
  /** Declared types by attribute or column name. */
  readonly types: Readonly<Record<string, ColumnType>>;
  /** Null: the SDK finds it. */
  readonly region: string | null;
  /** Null: the SDK finds it. */
  readonly endpoint: string | null;
  /** The role to assume; null: none. */
  readonly role: Role | null;
  readonly consistent: boolean;
  readonly segments: number | 'auto';
  /** Read capacity units per second; null: no limit. */
  readonly maxReadCapacity: number | null;
  /** Megabytes of JSON that one poll may read; null: a share of the machine's memory. */
  readonly maxPollMegabytes: number | null;
  /** Null: `timestamp`, or `poll_timestamp` where the table has an attribute of that name. */
  readonly timestampColumn: string | null;
}

const option = TableOptions.properties;

/** A table's options with all defaults applied and durations in numbers. */
export function tableConfig(name: string, options: TableOptions): TableConfig {
  const columns = options.columns ?? defaultOf<string[]>(option.columns);
  const rename = options.rename ?? defaultOf<Record<string, string>>(option.rename);
  const query = queryOf(options);
  const isFollowed = query?.since != null;
  const log = options.log ?? defaultOf<boolean>(option.log);
  return {
    entry: name,
    table: options.table ?? name,
    name: options.as ?? tableNameOf(name),
    log: log !== false || isFollowed,
    // What is new is filed by its own time where that is known.
    append: log === 'append' || (isFollowed && options.time !== undefined),
    time: itemTimeOf(options.time, rename),
    changes: options.changes ?? defaultOf<boolean>(option.changes),
    interval: milliseconds(options.interval ?? defaultOf<string>(option.interval)),
    stream: options.stream ?? defaultOf<boolean>(option.stream),
    verify: options.verify === undefined ? null : milliseconds(options.verify),
    columns,
    expand: options.expand ?? defaultOf<boolean>(option.expand),
    types: options.types ?? defaultOf<Record<string, ColumnType>>(option.types),
    only: withTimeOf(options.time, options.only === true ? columns : (options.only ?? null)),
    rename,
    region: options.region ?? regionOfTable(options.table ?? name),
    endpoint: options.endpoint ?? null,
    role: roleOf(options),
    index: options.index ?? null,
    query,
    filter: filterOf(options),
    consistent: options.consistent ?? defaultOf<boolean>(option.consistent),
    segments: options.segments ?? defaultOf<'auto'>(option.segments),
    maxReadCapacity: options.maxReadCapacity ?? null,
    maxPollMegabytes: options.maxPollMegabytes ?? null,
    ...keepingOf(options),
    timestampColumn: options.timestampColumn ?? null,
  };
}

/** `time` names an attribute, or the column that it is renamed to. */
function attributeOf(time: NonNullable<TableOptions['time']>): string {
  return typeof time === 'string' ? time : time.attribute;
}

function itemTimeOf(time: TableOptions['time'], rename: TableConfig['rename']): ItemTime | null {
  if (time === undefined) return null;
  const attribute = attributeOf(time);
  const column = publishedColumn(attribute, renamedPaths(rename));
  return { column, unit: typeof time === 'string' ? null : (time.unit ?? null) };
}

/** The time of an item is kept, whatever else is. */
function withTimeOf(time: TableOptions['time'], only: readonly string[] | null): readonly string[] | null {
  if (time === undefined || only === null) return only;
  return [...new Set([...only, attributeOf(time)])];
}

function queryOf({ query }: TableOptions): QueryConfig | null {
  if (query === undefined) return null;
  const overlap = query.overlap ?? defaultOf<string>(QueryOptions.properties.overlap);
  const { index = null, key = {}, since = null } = query;
  return { index, key, since, overlap: milliseconds(overlap) };
}

function filterOf({ filter }: TableOptions): AttributeFilter | null {
  if (filter?.expression === undefined) return null;
  const { expression, names = {}, values = {} } = filter;
  const typed = Object.entries(values).map(([name, value]) => [name, attributeValue(value as FilterValue)]);
  return { expression, names, values: Object.fromEntries(typed) };
}

function roleOf({ role, externalId, sessionName }: TableOptions): Role | null {
  if (role === undefined) return null;
  return {
    arn: role,
    externalId: externalId ?? null,
    sessionName: sessionName ?? defaultOf<string>(option.sessionName),
  };
}

/** The table's name in a name or ARN. */
export function tableNameOf(table: string): string {
  return TABLE_ARN.exec(table)?.[4] ?? table;
}

/** The region in an ARN; null for a name. */
export function regionOfTable(table: string): string | null {
  return TABLE_ARN.exec(table)?.[2] ?? null;
}
