/** Items as a table may have them, hostile ones too, and what their rows must be, worked out from objects. */
import fc from 'fast-check';
import { encodeRows } from '../../../src/csv/encode.js';
import type { Column, EncodedRows } from '../../../src/csv/rows.js';
import { type AttributeValue, attributeToCell, type Item } from '../../../src/sources/dynamodb/attributes.js';

/** Texts made of what means something to JSON or to CSV, and of what looks like the frame of a page. */
const text = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    '"',
    '\\',
    ',',
    '\n',
    '\r',
    '\0',
    ' ',
    'é',
    '😀',
    '\u2028',
    '\ud800',
    '{',
    '}',
    '[',
    ']',
    ':',
    '"Items":[',
    '"}},{"',
    '\\u0041',
    '}]',
  ),
  maxLength: 8,
});

const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.constantFrom(
    '0',
    '-0',
    '0.5',
    '-0.25',
    '1E+20',
    '1e-130',
    '12345678901234567890123456789012345678',
    '+7',
    '007',
    '5.',
  ),
);

const binary = fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const flat: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 3, arbitrary: text.map((S) => ({ S })) },
  { weight: 3, arbitrary: number.map((N) => ({ N })) },
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
  binary.map((B) => ({ B })),
  fc.uniqueArray(text, { minLength: 1, maxLength: 3 }).map((SS) => ({ SS })),
  fc.array(number, { minLength: 1, maxLength: 3 }).map((NS) => ({ NS })),
  fc.array(binary, { minLength: 1, maxLength: 3 }).map((BS) => ({ BS })),
);

export const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 4, arbitrary: flat },
  fc.array(flat, { maxLength: 3 }).map((L) => ({ L })),
  fc.dictionary(text, flat, { maxKeys: 3, noNullPrototype: true }).map((M) => ({ M })),
);

export const attribute = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('count', 'zone', 'name', 'at', 'é') },
  fc.constantFrom('__proto__', 'constructor', '10', 'Items', 'S', 'a"b', 'a,b', 'a\\', 'line\nend', '😀'),
);

/** An item with an own property for each attribute, whatever its name. */
export function itemOf(id: number, values: Iterable<readonly [string, AttributeValue]>): Item {
  const item = Object.create(null) as Record<string, AttributeValue>;
  item.id = { N: String(id) };
  for (const [name, one] of values) item[name] = one;
  return item;
}

/** The rows of these items, with the number key `id`, under the columns: from objects, with nothing of the scanner. */
export function rowsOf(items: readonly Item[], columns: readonly Column[]): EncodedRows {
  const sorted = [...items].sort((a, b) => Number(a.id!.N) - Number(b.id!.N));
  const cellsOf = (item: Item) =>
    columns.map(({ name }) => (Object.hasOwn(item, name) ? attributeToCell(item[name]!) : null));
  return encodeRows(columns, sorted.map(cellsOf));
}
