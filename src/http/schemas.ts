import { type Static, Type } from 'typebox';

/** The JSON of the responses: schemas for the routes and for OpenAPI, types for the page. */

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });

const Time = (description: string) => Nullable(Type.String({ format: 'date-time' }), description);

/** A column of a dataset. */
export const ColumnSchema = Type.Object({
  name: Type.String({ description: 'As in the header of the CSV.' }),
  type: Type.Enum(['string', 'number', 'boolean', 'time'], {
    description: 'As declared, or that of most values; the others are in `exceptions`.',
  }),
});

/** Values of a column that are not of its type, or not what the configuration says of it. */
export const ExceptionSchema = Type.Object({
  column: Type.String(),
  problem: Type.String({ description: 'What they are instead, such as "not a time".' }),
  count: Type.Integer({ description: 'The number of items that have one.' }),
  key: Type.Record(Type.String(), Type.String(), { description: 'The key of one of these items.' }),
  value: Type.String({ description: 'The value of that item, cut where it is long.' }),
});

/** Why a poll or a view failed. */
export const FailureSchema = Type.Object({
  code: Type.String({ description: 'A stable code, such as TABLE_NOT_FOUND.' }),
  message: Type.String({ description: 'What is wrong and what to do about it, in one line.' }),
  at: Type.String({ format: 'date-time', description: 'When it failed.' }),
});

/** What reading a source costs: estimates by list prices, in US dollars. */
export const CostSchema = Type.Object({
  usdPerMonth: Nullable(Type.Number(), 'Expected per month at the present interval; null if not known yet.'),
  usdThisMonth: Type.Number({ description: 'Spent since the first of the month (UTC).' }),
  budget: Nullable(
    Type.Number(),
    'The budget per month, shared with other sources, by which its interval is chosen; null: no limit.',
  ),
  waiting: Nullable(Type.String(), 'Why its polls wait for the budget; null if they do not.'),
});

/** The query of a view that another engine computes. */
export const EngineQuerySchema = Type.Object({
  engine: Type.String({ description: 'athena.' }),
  id: Type.String({ description: 'As the engine names it.' }),
  bytesScanned: Type.Integer({ description: 'Bytes that the engine read for it.' }),
  usd: Type.Number({ description: 'Its price, an estimate by list price.' }),
  seconds: Type.Number({ description: 'How long it ran there.' }),
});

/** How a view is computed. */
export const DefinitionSchema = Type.Object({
  file: Type.String({ description: 'The path of its SQL file, for display.' }),
  sql: Type.String({ description: 'The content of the file.' }),
  uses: Type.Array(Type.String(), { description: 'The datasets that it reads.' }),
});

/** One dataset of the catalogue. */
export const DatasetSchema = Type.Object({
  name: Type.String({ description: 'As in its URL.' }),
  kind: Type.Enum(['snapshot', 'log', 'changes', 'view', 'lookup', 'status'], {
    description:
      'snapshot: the latest rows; log: the rows of every poll; changes: what changed between polls; view: computed by SQL; lookup: a static file; status: about this service.',
  }),
  source: Type.String({ description: 'Where its rows come from, for display.' }),
  description: Nullable(Type.String(), 'What its rows mean.'),
  columns: Nullable(Type.Array(ColumnSchema), 'In the order of the header; null until the first read.'),
  keys: Type.Array(Type.String(), { description: 'The columns that identify a row.' }),
  timeColumn: Nullable(Type.String(), 'The column that time windows refer to.'),
  exceptions: Type.Array(ExceptionSchema, {
    description: 'Values that are not of the type of their column, or not what the configuration says of it.',
  }),
  rows: Nullable(Type.Integer(), 'Number of rows of the whole dataset; null if unknown.'),
  bytes: Nullable(Type.Integer(), 'Size of the whole dataset as CSV, in bytes; null if unknown.'),
  version: Nullable(Type.String(), 'Changes whenever the rows may have changed; null until the first read.'),
  readAt: Time('When the data was last read; null if never.'),
  age: Nullable(Type.Number(), 'Seconds since the data was read.'),
  interval: Nullable(Type.Number(), 'Seconds between two polls; null if it is not polled.'),
  freshness: Type.Enum(['waiting', 'fresh', 'late', 'stale'], {
    description: 'late: older than 1.5 intervals; stale: older than 3; waiting: never read.',
  }),
  nextPollAt: Time('When the next poll is due; null if unknown.'),
  persisted: Type.Boolean({ description: 'False while the latest data could not be written to the volume.' }),
  lastError: Nullable(FailureSchema, 'Why the last poll failed; null if it succeeded.'),
  readUnitsToday: Nullable(Type.Number(), 'DynamoDB read capacity units consumed since local midnight.'),
  cost: Nullable(CostSchema, 'What reading it costs; null if it is not polled itself.'),
  query: Nullable(
    EngineQuerySchema,
    'The last query of a view that another engine computes; null for others.',
  ),
  sealedDays: Type.Integer({ description: 'Number of closed days stored as Parquet.' }),
  missingDays: Type.Array(Type.String(), {
    description:
      'Closed local days that cannot be read: a file of theirs is damaged, gone, not here, or lost in the archive.',
  }),
  missingReasons: Type.Array(Type.String(), { description: 'Why days are missing, each reason once.' }),
  definition: Nullable(DefinitionSchema, 'How a view is computed; null for other kinds.'),
  usedBy: Type.Array(Type.String(), { description: 'The views that read it.' }),
  url: Type.String({ description: 'Its path: /csv/<name>.' }),
  grafanaPath: Nullable(
    Type.String(),
    'The path of its dashboard below the URL of Grafana, or of the table whose changes it has; null: Grafana has none.',
  ),
});

/** Whether the service collects, and how far it is behind the one that does. */
const RoleProperties = {
  role: Type.Enum(['collect', 'follow'], {
    description: 'collect: it polls the sources; follow: it serves what another service collects.',
  }),
  configuredRole: Type.Enum(['collect', 'follow', 'auto'], {
    description: 'What `ROLE` says; auto: it follows while another service collects.',
  }),
  behind: Nullable(
    Type.Number(),
    'Seconds by which its data is behind that of the service that collects: 0 for that one itself, null if unknown.',
  ),
};

/** The response of `GET /datasets`. */
export const CatalogueSchema = Type.Object({
  service: Type.Object({
    version: Type.String({ description: 'The version of dynamo-csv.' }),
    config: Type.String({ description: 'The path of the configuration file.' }),
    dataDir: Type.String({ description: 'The path of the data folder.' }),
    timeZone: Type.String({ description: 'IANA name of the time zone that days are counted in.' }),
    now: Type.String({ format: 'date-time', description: 'The current time of the service.' }),
    startedAt: Type.String({ format: 'date-time', description: 'When the service started.' }),
    allowSql: Type.Boolean({ description: 'Whether SQL requests are allowed.' }),
    grafana: Nullable(Type.String(), 'The URL of Grafana; null if it is not configured.'),
    ...RoleProperties,
  }),
  datasets: Type.Array(DatasetSchema),
});

/** One dataset of the catalogue, as JSON. */
export type DatasetJson = Static<typeof DatasetSchema>;
/** The catalogue as JSON. */
export type CatalogueJson = Static<typeof CatalogueSchema>;

/** The response of `GET /healthz`. */
export const HealthSchema = Type.Object({
  status: Type.Enum(['ok', 'degraded'], {
    description: 'degraded: at least one dataset or the archive is; the process itself works.',
  }),
  ...RoleProperties,
  datasets: Type.Array(
    Type.Object({
      name: Type.String(),
      age: Nullable(Type.Number(), 'Seconds since the data was read; null if never.'),
      freshness: DatasetSchema.properties.freshness,
      persisted: DatasetSchema.properties.persisted,
      lastError: DatasetSchema.properties.lastError,
      missingDays: DatasetSchema.properties.missingDays,
      degraded: Type.Boolean({
        description:
          'Whether it is stale, never read despite attempts, not written to the volume, missing a day, or a broken view.',
      }),
    }),
  ),
  archive: Type.Optional(
    Type.Object(
      {
        location: Type.String({ examples: ['s3://my-bucket/fleet/'] }),
        age: Nullable(Type.Number(), 'Seconds since it was last known to have everything; null if never.'),
        error: Nullable(
          Type.Object({ code: Type.String(), message: Type.String() }),
          'Why the last attempt failed.',
        ),
        lostDays: Type.Integer({
          minimum: 0,
          description: 'Archived days that were needed and are missing there, or damaged.',
        }),
        degraded: Type.Boolean({
          description: 'Whether it fails and is older than three times `archive.every`, or has lost days.',
        }),
      },
      { description: 'The copy of the data folder, if one is configured.' },
    ),
  ),
});

/** The response of `GET /readyz`. */
export const ReadinessSchema = Type.Object({
  ready: Type.Boolean({ description: 'Whether no dataset is waiting.' }),
  waiting: Type.Array(Type.String(), { description: 'Polled datasets that have not been read yet.' }),
  failed: Type.Array(Type.String(), { description: 'Polled datasets without data whose polls have failed.' }),
  served: Type.Array(Type.String(), { description: 'Polled datasets with data, from disk or from a poll.' }),
});

/** A JSON body of `POST /sql`. */
export const SqlSchema = Type.Object({
  sql: Type.String({ description: 'One SELECT over the datasets.', examples: ['SELECT 1 AS one'] }),
});

/** Health as JSON. */
export type HealthJson = Static<typeof HealthSchema>;
