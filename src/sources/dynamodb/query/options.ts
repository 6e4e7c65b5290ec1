import { Type } from 'typebox';
import { type Kind, text } from '../../../options/kinds.js';
import { show } from '../../../options/mistakes.js';
import { Duration, words } from '../../../options/schema.js';
import { countDates, unknownPlaceholders } from './dates.js';

const WRITE_DATE = '{today}, {yesterday}, {today-6}, {today-6..today} or {today:yyyyMMdd}';

/** Whether a number has more digits than JavaScript keeps. */
function hasLostDigits(value: number): boolean {
  return !Number.isSafeInteger(value) && String(value).length > 15;
}

function refuseText(value: unknown): ReturnType<NonNullable<Kind['refuse']>> {
  if (value === '') return { wrong: 'a key is never empty', remedy: 'write the value that items have' };
  if (typeof value === 'number' && hasLostDigits(value))
    return { wrong: `${show(value)} lost digits: YAML reads it as a number`, remedy: 'write it in quotes' };
  if (typeof value !== 'string') return null;
  const [unknown] = unknownPlaceholders(value);
  if (unknown !== undefined) return { wrong: `${unknown} is not a date`, remedy: `write ${WRITE_DATE}` };
  if (countDates(value) === 0)
    return { wrong: `${show(value)} ends before it begins`, remedy: 'write the earlier day first' };
  return null;
}

const keyValue: Kind = {
  what: 'the value of a key',
  write:
    'text or a number; several as a list, [1, 2]; of a sort key also { from: …, to: … } or { beginsWith: … }',
  refuse: refuseText,
};

const bound: Kind = {
  what: 'a bound of a sort key',
  write: 'text or a number, such as {today-6}',
  refuse(value) {
    if (typeof value === 'string' && countDates(value) > 1)
      return { wrong: `${show(value)} is several days`, remedy: 'write one day as a bound' };
    return refuseText(value);
  },
};

const Scalar = Type.Union([Type.String(), Type.Number()], { kind: keyValue });

const Range = Type.Object(
  {
    from: Type.Optional(Type.Union([Type.String(), Type.Number()], { kind: bound })),
    to: Type.Optional(Type.Union([Type.String(), Type.Number()], { kind: bound })),
    beginsWith: Type.Optional(Type.String({ kind: bound })),
  },
  { additionalProperties: false },
);

/** `from` and `to` are included; `beginsWith` is for text only. */
export interface KeyRange {
  readonly from?: string | number;
  readonly to?: string | number;
  readonly beginsWith?: string;
}

/** What `key` has for one attribute: the values that it may have, or for a sort key a range of them. */
export type KeyValues = string | number | readonly (string | number)[] | KeyRange;

const KeyValue = Type.Union([Type.String(), Type.Number(), Type.Array(Scalar, { minItems: 1 }), Range], {
  kind: keyValue,
});

/** The name of an index, as DynamoDB allows it. */
const INDEX_NAME = '^[A-Za-z0-9_.-]{3,255}$';

const indexName: Kind = {
  what: "an index's name",
  write: '3 to 255 letters, digits, "_", "-" or "."',
};

export const IndexName = Type.String({
  ...words({
    description:
      'Scan this secondary index instead of the table: a sparse index is smaller. Rows are identified by the keys of the table; attributes that the index does not project are missing.',
    examples: ['by-status'],
  }),
  pattern: INDEX_NAME,
  kind: indexName,
});

export const QueryOptions = Type.Object(
  {
    index: Type.Optional(
      Type.String({
        ...words({
          description: 'The index to query. By default the table itself.',
          examples: ['by-day'],
        }),
        pattern: INDEX_NAME,
        kind: indexName,
      }),
    ),
    key: Type.Optional(
      Type.Record(Type.String(), KeyValue, {
        ...words({
          description:
            'The values of the key attributes. The partition key is required; lists mean every combination. Dates are `{today}`, `{yesterday}`, `{today-6}`, `{today-6..today}` of `timeZone`, also `{today:yyyyMMdd}` and within text. A sort key can have a range: `{ from: …, to: … }` or `{ beginsWith: … }`.',
          examples: [{ day: '{today}', store: [1, 2, 3] }],
        }),
        keyKind: text,
      }),
    ),
    since: Type.Optional(
      Type.String({
        ...words({
          description:
            'A sort key that grows: only items with a later one than the newest item seen are read, and appended to a log. Implies `log: true`.',
          examples: ['created_at'],
        }),
        minLength: 1,
        kind: text,
      }),
    ),
    overlap: Type.Optional(
      Duration({
        description:
          'With `since`: how far before the newest item each poll reads again, to find items that appear late.',
        default: '1m',
        examples: ['10m'],
      }),
    ),
  },
  {
    ...words({
      description:
        'Read items by key instead of scanning the table: the dataset is what these Queries return now.',
      synonyms: {
        keys: 'key',
        partition: 'key',
        where: 'key',
        after: 'since',
        indexname: 'index',
        gsi: 'index',
      },
      examples: [{ index: 'by-day', key: { day: '{today}' }, since: 'created_at' }],
    }),
    additionalProperties: false,
  },
);

const filterValue: Kind = {
  what: 'a value of an attribute',
  write: "text, a number, true or false; other types as DynamoDB's JSON, such as { B: aGk= }",
  refuse(value) {
    if (typeof value !== 'number' || !hasLostDigits(value)) return null;
    return {
      wrong: `${show(value)} lost digits: YAML reads it as a number`,
      remedy: 'write it in quotes, as DynamoDB\'s JSON: { N: "…" }',
    };
  },
};

const placeholder = (sign: string, example: string): Kind => ({
  what: 'a placeholder',
  write: `${sign} and letters or digits, such as ${example}`,
});

export const FilterOptions = Type.Object(
  {
    expression: Type.Optional(
      Type.String({
        ...words({ description: "DynamoDB's FilterExpression.", examples: ['#s = :open'] }),
        minLength: 1,
        maxLength: 4096,
        kind: text,
      }),
    ),
    names: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^#[A-Za-z0-9][A-Za-z0-9_]*$' }),
        Type.String({ minLength: 1, kind: text }),
        {
          ...words({
            description: 'Attributes by placeholder, for names that are reserved words or have a dot.',
            examples: [{ '#s': 'status' }],
          }),
          keyKind: placeholder('#', '"#s"'),
          additionalProperties: false,
        },
      ),
    ),
    values: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^:[A-Za-z0-9][A-Za-z0-9_]*$' }),
        Type.Union(
          [Type.String(), Type.Number(), Type.Boolean(), Type.Record(Type.String(), Type.Unknown())],
          { kind: filterValue },
        ),
        {
          ...words({
            description:
              "Values by placeholder: text, a number, true or false, or DynamoDB's JSON such as `{ B: aGk= }`.",
            examples: [{ ':open': 'OPEN' }],
          }),
          keyKind: placeholder(':', '":open"'),
          additionalProperties: false,
        },
      ),
    ),
  },
  {
    ...words({
      description:
        'Keep only items that this condition holds for. DynamoDB reads and bills the others too, but does not send them.',
      synonyms: { condition: 'expression', filterexpression: 'expression' },
      examples: [{ expression: '#s = :open', names: { '#s': 'status' }, values: { ':open': 'OPEN' } }],
    }),
    additionalProperties: false,
  },
);
