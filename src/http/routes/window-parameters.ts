import { Type } from 'typebox';

const text = (description: string, example: string) =>
  Type.Optional(Type.String({ description, examples: [example] }));

/** How an answer looks, whatever it is of. */
const output = {
  pad: text('`1`: an answer without rows gets one row without values.', '1'),
  null: text(
    'How an absent value is written in number, boolean and time columns; otherwise it is nothing.',
    'null',
  ),
  header: text('`false`: no header line.', 'false'),
  delimiter: text('Between cells, instead of a comma.', ';'),
  format: text('`csv` (default), `json` or `parquet`.', 'json'),
};

/** What `/csv/:name` takes; for OpenAPI, since the window's parser knows better what is wrong. */
export const WINDOW_PARAMETERS = Type.Object(
  {
    last: text('Rows of the last so long, on the time column: `ms s m h d w y`.', '10m'),
    from: text('Rows from this time on: ISO 8601, or milliseconds since the epoch.', '2026-11-24T00:00:00Z'),
    to: text('Rows before this time.', '2026-11-25T00:00:00Z'),
    columns: text('These columns, in this order.', 'zone_id,count'),
    sort: text('Columns to sort by, with `-` before one downwards.', '-count,zone_id'),
    limit: text('At most so many rows.', '10'),
    offset: text('Without the first so many rows.', '10'),
    every: text('One row per step and series: the last in it.', '5m'),
    pivot: text('One column per value of the first, filled from the second.', 'counter_type:count'),
    ...output,
  },
  {
    additionalProperties: Type.String({
      description:
        'A filter: a column equals this; or `<column>__ne`, `__gt`, `__gte`, `__lt`, `__lte`, `__in`, `__contains`, `__isnull`.',
    }),
  },
);

/** What `/csv?sql=` takes. */
export const SQL_PARAMETERS = Type.Object({
  sql: Type.String({ description: 'One SELECT over the datasets.', examples: ['SELECT 1 AS one'] }),
  ...output,
});

/** What `POST /sql` takes beside its body. */
export const OUTPUT_PARAMETERS = Type.Object(output);

const body = Type.String();
const line = (description: string) => ({ description, content: { 'text/plain': { schema: body } } });

/** What requests for data are answered with. */
export const answerSchema = {
  200: {
    description: 'The rows, as they are now.',
    content: {
      'text/csv': { schema: body },
      'application/json': { schema: Type.Unknown() },
      'application/vnd.apache.parquet': { schema: Type.String({ contentEncoding: 'binary' }) },
    },
  },
  304: { description: 'What the client has, by its If-None-Match, is still so.', type: 'null' },
  '4xx': line('What is wrong with the request, on one line.'),
  '5xx': line('Why there is no answer, on one line.'),
};
