import { type Static, Type } from 'typebox';

/** The JSON that the service answers with; types for the page, schemas for the routes and for OpenAPI. */

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });

const Time = (description: string) => Nullable(Type.String({ format: 'date-time' }), description);

export const ColumnSchema = Type.Object({
  name: Type.String(),
  type: Type.Enum(['string', 'number', 'boolean', 'time'], {
    description: 'The narrowest type that fits every value ever seen.',
  }),
});

export const FailureSchema = Type.Object({
  code: Type.String({ description: 'Stable, such as TABLE_NOT_FOUND.' }),
  message: Type.String({ description: 'What is wrong and what to do, on one line.' }),
  at: Type.String({ format: 'date-time' }),
});

export const DefinitionSchema = Type.Object({
  file: Type.String({ description: 'The file it stands in, for people.' }),
  sql: Type.String(),
  uses: Type.Array(Type.String(), { description: 'Datasets it is computed from.' }),
});

export const DatasetSchema = Type.Object({
  name: Type.String(),
  kind: Type.Enum(['snapshot', 'log', 'changes', 'view', 'lookup', 'status']),
  source: Type.String({ description: 'Where its rows come from, for people.' }),
  description: Nullable(Type.String(), 'What it is.'),
  columns: Nullable(Type.Array(ColumnSchema), 'In the order of the header; null while not known.'),
  keys: Type.Array(Type.String(), { description: 'Columns that identify a row.' }),
  timeColumn: Nullable(Type.String(), 'The column that time windows refer to.'),
  rows: Nullable(Type.Integer(), 'Rows of the plain CSV; null while not known.'),
  bytes: Nullable(Type.Integer(), 'Bytes of the plain CSV; null while not known.'),
  version: Nullable(Type.String(), 'Changes whenever the rows may have changed.'),
  readAt: Time('When the data was read; null while it never was.'),
  age: Nullable(Type.Number(), 'Seconds since then.'),
  interval: Nullable(Type.Number(), 'Seconds between two polls; null for what is not polled.'),
  freshness: Type.Enum(['waiting', 'fresh', 'late', 'stale'], {
    description: 'late: older than one interval and a half; stale: than three; waiting: never read.',
  }),
  nextPollAt: Time('When the next poll is due.'),
  persisted: Type.Boolean({ description: 'False while the latest data could not be written to the volume.' }),
  lastError: Nullable(FailureSchema, 'Why the last poll failed; null when it succeeded.'),
  readUnitsToday: Nullable(Type.Number(), 'DynamoDB read capacity units consumed since local midnight.'),
  sealedDays: Type.Integer({ description: 'Closed days that are kept as Parquet.' }),
  missingDays: Type.Array(Type.String(), {
    description: 'Closed local days that cannot be read: a file of theirs is damaged or gone.',
  }),
  definition: Nullable(DefinitionSchema, 'The SQL of a view.'),
  usedBy: Type.Array(Type.String(), { description: 'Views that are computed from it.' }),
  url: Type.String({ description: 'Its path on this service: /csv/<name>.' }),
});

export const CatalogueSchema = Type.Object({
  service: Type.Object({
    version: Type.String(),
    config: Type.String({ description: 'The configuration file.' }),
    dataDir: Type.String({ description: 'The data folder.' }),
    timeZone: Type.String(),
    now: Type.String({ format: 'date-time' }),
    startedAt: Type.String({ format: 'date-time' }),
    allowSql: Type.Boolean(),
    grafana: Nullable(Type.String(), 'The address of Grafana.'),
  }),
  datasets: Type.Array(DatasetSchema),
});

export type DatasetJson = Static<typeof DatasetSchema>;
export type CatalogueJson = Static<typeof CatalogueSchema>;

export const HealthSchema = Type.Object({
  status: Type.Enum(['ok', 'degraded'], {
    description: 'degraded: some dataset is; the process works all the same.',
  }),
  datasets: Type.Array(
    Type.Object({
      name: Type.String(),
      age: Nullable(Type.Number(), 'Seconds since the data was read; null while it never was.'),
      freshness: DatasetSchema.properties.freshness,
      persisted: DatasetSchema.properties.persisted,
      lastError: DatasetSchema.properties.lastError,
      missingDays: DatasetSchema.properties.missingDays,
      degraded: Type.Boolean({
        description:
          'Older than three intervals, never read although tried, not persisted, a missing day, or a broken view.',
      }),
    }),
  ),
});

export const ReadinessSchema = Type.Object({
  ready: Type.Boolean(),
  waiting: Type.Array(Type.String(), { description: 'Polled datasets that were not read yet.' }),
  failed: Type.Array(Type.String(), { description: 'Polled datasets without data, whose polls fail.' }),
  served: Type.Array(Type.String(), { description: 'Polled datasets with data, from disk or from a poll.' }),
});

export const SqlSchema = Type.Object({
  sql: Type.String({ description: 'One SELECT over the datasets.', examples: ['SELECT 1 AS one'] }),
});

export type HealthJson = Static<typeof HealthSchema>;
