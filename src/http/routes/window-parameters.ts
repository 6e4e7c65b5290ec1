import { Type } from 'typebox';

/** An optional text parameter, for the OpenAPI document. */
export const text = (description: string, example: string) =>
  Type.Optional(Type.String({ description, examples: [example] }));

/** The format of the output, for datasets, windows and SQL. */
const output = {
  pad: text('`1`: if there are no rows, send one row without values.', '1'),
  null: text('The text for absent values in number, boolean and time columns; by default empty.', 'null'),
  header: text('`false`: omit the header line.', 'false'),
  delimiter: text('The delimiter between cells, by default a comma; `tab` for a tab.', ';'),
  bom: text('`1`: begin with a byte order mark, for Excel.', '1'),
  quote: text('`all`: quote every cell.', 'all'),
  safe: text('`1`: put an apostrophe before text that a spreadsheet would run as a formula.', '1'),
  format: text('The output format: `csv` (default), `json` or `parquet`.', 'json'),
};

/** Parameters of `/csv/:name`, for the OpenAPI document only: the window's parser checks them, with better messages. */
export const WINDOW_PARAMETERS = Type.Object(
  {
    last: text('Rows whose time is within this duration before now; units `ms s m h d w y`.', '10m'),
    from: text(
      'Rows at or after this time: ISO 8601, or milliseconds since the epoch.',
      '2026-11-24T00:00:00Z',
    ),
    to: text('Rows before this time.', '2026-11-25T00:00:00Z'),
    columns: text('Only these columns, in this order.', 'zone_id,count'),
    sort: text('Columns to sort by; prefix one with `-` for descending order.', '-count,zone_id'),
    limit: text('Maximum number of rows.', '10'),
    offset: text('Number of rows to skip.', '10'),
    every: text(
      'The last row of each series in each step of this duration; with `agg` one row per step.',
      '5m',
    ),
    agg: text(
      'Aggregates per step and series: `avg min max sum count first last median p95 p99 stddev distinct increase rate`, each with `:column`; `name=` before one names its column.',
      'avg:temperature,max:temperature,count',
    ),
    by: text('The columns whose values tell series apart; with `agg`.', 'device'),
    fill: text('What steps without rows get: `null`, `0` or `previous`; with `agg` and `every`.', 'null'),
    pivot: text('One column per value of the first column, filled from the second.', 'counter_type:count'),
    ...output,
  },
  {
    additionalProperties: Type.String({
      description:
        'A filter: the column equals this value. Also `<column>__ne`, `__gt`, `__gte`, `__lt`, `__lte`, `__in`, `__contains`, `__isnull`.',
    }),
  },
);

/** Parameters of `/csv?sql=`. */
export const SQL_PARAMETERS = Type.Object({
  sql: Type.String({ description: 'One SELECT over the datasets.', examples: ['SELECT 1 AS one'] }),
  ...output,
});

/** Parameters of `POST /sql`. */
export const OUTPUT_PARAMETERS = Type.Object(output);

const body = Type.String();
const line = (description: string) => ({ description, content: { 'text/plain': { schema: body } } });

/** Errors, one line of text each. */
export const errorLines = {
  '4xx': line('What is wrong with the request, in one line.'),
  '5xx': line('Why there is no response, in one line.'),
};

/** Responses to requests for data. */
export const answerSchema = {
  200: {
    description: 'The rows.',
    content: {
      'text/csv': { schema: body },
      'application/json': { schema: Type.Unknown() },
      'application/vnd.apache.parquet': { schema: Type.String({ contentEncoding: 'binary' }) },
    },
  },
  304: { description: 'The client already has these bytes, by its If-None-Match.', type: 'null' },
  ...errorLines,
};
