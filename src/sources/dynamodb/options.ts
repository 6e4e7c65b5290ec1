import { type Static, Type } from 'typebox';
import { closest } from '../../base/closest.js';
import { type ItemTime, TIME_UNITS, type TimeUnit } from '../../csv/item-time.js';
import type { ColumnType } from '../../csv/rows.js';
import { boolean, column, type Kind, milliseconds, quoted } from '../../options/kinds.js';
import { Column, Columns, Duration, defaultOf, Flag, PublishedName, words } from '../../options/schema.js';
import { Region } from '../aws/region.js';
import { Keep, type Keeping, keepingOf, Retention } from '../keeping.js';
import { publishedColumn, renamedPaths } from './paths.js';

const tableName: Kind = {
  what: "a DynamoDB table's name",
  write: '3 to 255 letters, digits, "_", "-" or "."',
  guess(value) {
    const arn = /^arn:[^:]+:dynamodb:([^:]*):[^:]*:table\/([\w.-]+)/.exec(String(value));
    return arn === null ? null : `${arn[2]} with region: ${arn[1]}`;
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
  [/^(us|[µμ]s|usecs?|micros|microseconds?)$/i, 'us'],
];

const timeUnit: Kind = {
  what: 'a unit of times',
  write: 's, ms or us (seconds, milliseconds or microseconds since 1970)',
  guess: (value) => UNIT_WORDS.find(([word]) => word.test(String(value).trim()))?.[1] ?? null,
};

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
        description: 'How often the table is read, from 100ms to 7d: a number with ms, s, m, h or d.',
        default: '30s',
        examples: ['500ms', '5m'],
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
export const TablesOption = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{3,255}$' }), TableOptions, {
  ...words({
    description: 'The DynamoDB tables by name, each with its options.',
    default: {},
    examples: [{ 'my-table': {} }],
  }),
  keyKind: tableName,
  additionalProperties: false,
});

export type TableOptions = Static<typeof TableOptions>;
export type TablesOption = Static<typeof TablesOption>;

/** A DynamoDB table to publish; every default applied. */
export interface TableConfig extends Keeping {
  /** The DynamoDB table's name. */
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
  const log = options.log ?? defaultOf<boolean>(option.log);
  return {
    table: name,
    name: options.as ?? name,
    log: log !== false,
    append: log === 'append',
    time: itemTimeOf(options.time, rename),
    changes: options.changes ?? defaultOf<boolean>(option.changes),
    interval: milliseconds(options.interval ?? defaultOf<string>(option.interval)),
    columns,
    expand: options.expand ?? defaultOf<boolean>(option.expand),
    types: options.types ?? defaultOf<Record<string, ColumnType>>(option.types),
    only: withTimeOf(options.time, options.only === true ? columns : (options.only ?? null)),
    rename,
    region: options.region ?? null,
    consistent: options.consistent ?? defaultOf<boolean>(option.consistent),
    segments: options.segments ?? defaultOf<'auto'>(option.segments),
    maxReadCapacity: options.maxReadCapacity ?? null,
    maxPollMegabytes: options.maxPollMegabytes ?? null,
    ...keepingOf(options),
    timestampColumn: options.timestampColumn ?? null,
  };
}

/** `time` names an attribute, or the column that it is renamed to. */
export function attributeOf(time: NonNullable<TableOptions['time']>): string {
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
