import { type Static, Type } from 'typebox';
import type { KindName } from './kinds.js';

/**
 * The one schema of the configuration file: it validates (`check.ts`), it is the type (`ConfigurationFile`), and it is
 * published for editors as `config/dynamo-csv.schema.json` (`json-schema.ts`). Every option carries what a user asks:
 * `description`, `default` where there is one, `examples`. `kind` names the words for a wrong value (`kinds.ts`).
 */

interface Words {
  readonly kind?: KindName;
  readonly title?: string;
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** Options of a `Type.*` call with the kind checked by the compiler. */
const words = (options: Words) => options as Omit<Words, 'examples'> & { examples?: unknown[] };

const PUBLISHED_NAME = '^[A-Za-z0-9_]([A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?$';
const REGION = '^[a-z]{2,5}(-[a-z]+){1,2}-[0-9]{1,2}$';

const Column = Type.String({ minLength: 1, kind: 'column' satisfies KindName });

const Columns = (options: Words, list: { minItems?: number } = {}) =>
  Type.Array(Column, { ...words(options), ...list, uniqueItems: true });

const Flag = (options: Words & { default: boolean }) => Type.Boolean({ ...words(options), kind: 'boolean' });

const Duration = (options: Words) =>
  Type.String({ ...words(options), pattern: '^[0-9]{1,12}(ms|s|m|h|d|w)$', kind: 'duration' });

const Days = (options: Words) =>
  Type.Union(
    [Type.Integer({ minimum: 1, maximum: 99_999 }), Type.String({ pattern: '^[1-9][0-9]{0,4}(d|w)$' })],
    {
      ...words(options),
      kind: 'days',
    },
  );

const PublishedName = (options: Words) =>
  Type.String({ ...words(options), pattern: PUBLISHED_NAME, kind: 'publishedName' });

const Region = (options: Words) => Type.String({ ...words(options), pattern: REGION, kind: 'region' });

const Folder = (options: Words) => Type.String({ ...words(options), minLength: 1, kind: 'folder' });

const keep = Days({
  description:
    'How many days, today included, the CSV file of a log or of changes holds; older days are sealed as Parquet. In days of `timeZone`.',
  default: 7,
  examples: [7, '4w'],
});

const retention = Days({
  description:
    'How many days a log or changes remember in all, sealed days included; older ones are deleted. Without it: for ever.',
  examples: [365, '104w'],
});

export const TableOptions = Type.Object(
  {
    log: Type.Optional(
      Flag({
        description:
          'Append the rows of every poll, with its time as last column, instead of keeping only the latest rows.',
        default: false,
      }),
    ),
    changes: Type.Optional(
      Flag({
        description:
          'Also keep the dataset `<name>-changes`: one row per item inserted, updated or deleted between two polls.',
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
          'Attributes in the order of their columns, after the keys; others follow by name. They are there even while no item has them.',
        default: [],
        examples: [['count']],
      }),
    ),
    only: Type.Optional(
      Type.Union([Type.Literal(true), Columns({ description: 'The attributes to keep.' }, { minItems: 1 })], {
        ...words({
          description:
            'Leave out all attributes but these and the keys: a list, or `true` for exactly those in `columns`.',
          examples: [['count'], true],
        }),
        kind: 'only',
      }),
    ),
    rename: Type.Optional(
      Type.Record(Type.String(), Column, {
        ...words({
          description: 'Column names by attribute name, where the column is to be called differently.',
          default: {},
          examples: [{ pickup_zone_id: 'zone_id' }],
        }),
        keyKind: 'column',
      }),
    ),
    as: Type.Optional(
      PublishedName({
        description:
          'The published name: of the dataset, its URL and its file. Without it the name of the table.',
        examples: ['zones'],
      }),
    ),
    region: Type.Optional(
      Region({
        description:
          "The table's AWS region. Without it the one that the SDK finds (`AWS_REGION`, `~/.aws/config`, …).",
        examples: ['ap-northeast-2'],
      }),
    ),
    consistent: Type.Optional(
      Flag({
        description: 'Strongly consistent reads: they see every write that was confirmed, and cost twice.',
        default: false,
      }),
    ),
    segments: Type.Optional(
      Type.Union([Type.Literal('auto'), Type.Integer({ minimum: 1, maximum: 1024 })], {
        ...words({
          description: "Parallel segments of the Scan, from 1 to 1024; `auto` decides by the table's size.",
          default: 'auto',
          examples: ['auto', 4],
        }),
        kind: 'segments',
      }),
    ),
    maxReadCapacity: Type.Optional(
      Type.Number({
        ...words({
          description:
            'Read capacity units per second that reading this table may take at most; slower then. Without it: no limit.',
          examples: [25],
        }),
        minimum: 1,
        kind: 'capacity',
      }),
    ),
    maxPollMegabytes: Type.Optional(
      Type.Integer({
        ...words({
          description:
            "Megabytes of DynamoDB's JSON that one poll may read; a table that has more is an error. Without it: a quarter of the memory this process may use.",
          examples: [4000],
        }),
        minimum: 1,
        kind: 'megabytes',
      }),
    ),
    keep: Type.Optional(keep),
    retention: Type.Optional(retention),
    timestampColumn: Type.Optional(
      Type.String({
        ...words({
          description:
            "Name of a log's or of changes' time column. Without it `timestamp`, or `poll_timestamp` where the table has an attribute of that name.",
          examples: ['polled_at'],
        }),
        minLength: 1,
        kind: 'column',
      }),
    ),
  },
  {
    description: 'Options of this table; all may be left out.',
    additionalProperties: false,
  },
);

export const InstancesOptions = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ pattern: '^i-([0-9a-f]{8}|[0-9a-f]{17})$', kind: 'instanceId' }), {
        ...words({
          description: 'Instances by id. One that does not exist is a row with the state `missing`.',
          default: [],
          examples: [['i-0123456789abcdef0']],
        }),
        uniqueItems: true,
      }),
    ),
    tags: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Array(Type.String({ kind: 'tagValue' }), { minItems: 1 })], {
          kind: 'tagValue',
        }),
        {
          ...words({
            description:
              'Instances by tag, beside those of `ids`: all tags must match, of a list of values any one; `*` stands for any text.',
            default: {},
            examples: [{ Role: 'dispatch-api', Stage: ['production', 'staging'] }],
          }),
          keyKind: 'text',
        },
      ),
    ),
    regions: Type.Optional(
      Type.Array(Region({ description: 'An AWS region.' }), {
        ...words({
          description:
            'AWS regions to look in. Without it the one that the SDK finds (`AWS_REGION`, `~/.aws/config`, …).',
          examples: [['ap-northeast-2', 'us-east-1']],
        }),
        uniqueItems: true,
      }),
    ),
    interval: Type.Optional(
      Duration({
        description:
          'How often EC2 and CloudWatch are asked, from 100ms to 7d. CloudWatch bills each metric asked for.',
        default: '60s',
        examples: ['5m'],
      }),
    ),
    as: Type.Optional(
      PublishedName({
        description: 'The published name; the log over time is called `<name>-log`.',
        default: 'api-server',
        examples: ['dispatch-server'],
      }),
    ),
    keep: Type.Optional(keep),
    retention: Type.Optional(retention),
  },
  {
    description: 'EC2 instances to watch: their state and their CloudWatch metrics as datasets.',
    additionalProperties: false,
  },
);

export const ConfigurationSchema = Type.Object(
  {
    data: Type.Optional(
      Folder({
        description:
          'The data folder, relative to this file. The environment variable `DATA_DIR` goes before. Without both: `data` in the working directory.',
        examples: ['/var/lib/dynamo-csv'],
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        ...words({
          description:
            'The time zone whose days, hours and weeks are counted: a name of the IANA time zone database.',
          default: 'UTC',
          examples: ['America/New_York'],
        }),
        minLength: 1,
        kind: 'timeZone',
      }),
    ),
    tables: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{3,255}$' }), TableOptions, {
        ...words({
          description: 'The DynamoDB tables by name, each with its options.',
          default: {},
          examples: [{ 'my-table': {} }],
        }),
        keyKind: 'tableName',
        additionalProperties: false,
      }),
    ),
    instances: Type.Optional(InstancesOptions),
    views: Type.Optional(
      Folder({
        description:
          'Folder of the views, one `.sql` file each, relative to this file. Without it `views` beside this file, where there is one.',
        examples: ['views'],
      }),
    ),
    lookups: Type.Optional(
      Folder({
        description:
          'Folder of the lookups, one `.csv` file each, relative to this file. Without it `lookups` beside this file, where there is one.',
        examples: ['lookups'],
      }),
    ),
  },
  {
    title: 'dynamo-csv',
    description: 'Which DynamoDB tables are published as CSV, and how.',
    additionalProperties: false,
  },
);

/** The configuration file as it is written. */
export type ConfigurationFile = Static<typeof ConfigurationSchema>;
export type TableOptions = Static<typeof TableOptions>;
export type InstancesOptions = Static<typeof InstancesOptions>;

/** The default that a schema states for an option; the one place where defaults stand. */
export function defaultOf<Value>(option: object): Value {
  return (option as { readonly default: Value }).default;
}
