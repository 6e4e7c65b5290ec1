/** From the bytes of a page to CSV rows, held against `JSON.parse` and the encoder of cells. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Item } from '../../../src/sources/dynamodb/attributes.js';
import { openPage } from '../../../src/sources/dynamodb/page.js';
import { RunEncoder, type TableShape } from '../../../src/sources/dynamodb/run-encoder.js';
import { attribute, itemOf, rowsOf, value } from './items.js';

const SHAPE: TableShape = {
  table: 't',
  keys: [{ name: 'id', type: 'N' }],
  options: { columns: [], only: null, rename: {} },
  known: [],
};

function encode(...bodies: readonly (string | Buffer)[]) {
  const encoder = new RunEncoder(SHAPE, []);
  for (const body of bodies) encoder.add(0, openPage(Buffer.from(body)));
  return encoder.finish().run.rows;
}

/** What the rows must be by way of `JSON.parse`. */
function assertAsParsed(...bodies: readonly (string | Buffer)[]): void {
  const items = bodies.flatMap((body) => (JSON.parse(body.toString()) as { Items: Item[] }).Items);
  const found = encode(...bodies);
  const expected = rowsOf(items, found.columns);
  assert.equal(found.body.toString(), expected.body.toString());
  assert.deepEqual([...found.ends], [...expected.ends]);
  const names = new Set(items.flatMap((item) => Object.keys(item)));
  assert.deepEqual(new Set(found.columns.map(({ name }) => name)), new Set(['id', ...names]));
  for (const { name, type, seen } of found.columns.filter(({ name }) => name !== 'id')) {
    const kinds = new Set(
      items.flatMap((item) => kindsOf(Object.hasOwn(item, name) ? item[name] : undefined)),
    );
    assert.equal(seen, kinds.size > 0, name);
    assert.equal(type, kinds.size === 1 ? [...kinds][0] : 'string', name);
  }
}

function kindsOf(value: Item[string] | undefined): string[] {
  if (value === undefined || value.NULL !== undefined) return [];
  if (value.N !== undefined) return ['number'];
  return [value.BOOL === undefined ? 'string' : 'boolean'];
}

const items = fc
  .array(fc.array(fc.tuple(attribute, value), { maxLength: 5 }), { maxLength: 12 })
  .map((all) => all.map((values, id) => itemOf(id * 7 - 20, values)));

/** A page with members before and behind the items, as DynamoDB sends it, or written with spaces. */
function pageOf(items: readonly Item[], space: number | undefined, isItemsFirst: boolean): string {
  const rest = { Count: items.length, LastEvaluatedKey: { id: { N: '1' }, k: { S: ']},"Items":[' } } };
  const body = isItemsFirst ? { Items: items, ...rest } : { ...rest, Items: items };
  return JSON.stringify(body, null, space);
}

test('property: a page has the rows that JSON.parse finds in it, for any names and values', () => {
  fc.assert(
    fc.property(
      items,
      items,
      fc.constantFrom(undefined, 1),
      fc.boolean(),
      (first, second, space, isItemsFirst) => {
        assertAsParsed(
          pageOf(first, undefined, isItemsFirst),
          pageOf(
            second.map((item, index) => ({ ...item, id: { N: String(1000 + index) } })),
            space,
            isItemsFirst,
          ),
        );
      },
    ),
    { numRuns: 1000 },
  );
});

describe('what only other endpoints send', () => {
  const bodies = {
    'spaces between tokens': '{ "Items" : [ {"id": {"N": "1"}, "a": {"S": "x, y"} } ] }',
    'an attribute twice: the last one counts': '{"Items":[{"id":{"N":"1"},"a":{"S":"x"},"a":{"N":"2"}}]}',
    'names with escapes':
      '{"Items":[{"\\u0069d":{"N":"1"},"a\\/b":{"S":"x"}},{"id":{"N":"2"},"a/b":{"S":"y"}}]}',
    'an item without an attribute but its key':
      '{"Items":[{"id":{"N":"1"}},{"id":{"N":"2"},"a":{"BOOL":false}}]}',
    'base64 with a comma': '{"Items":[{"id":{"N":"1"},"a":{"B":"AA,="}}]}',
    'an empty list of items': '{"Items":[],"Count":0}',
    'members of other names': '{"X":{"Y":["]",{}]},"Items":[{"id":{"N":"1"}}],"Z":"]}"}',
  };
  for (const [what, body] of Object.entries(bodies)) test(what, () => assertAsParsed(body));

  test('Items in another member are not the Items', () => {
    assert.equal(
      encode('{"X":{"Items":[{"id":{"N":"9"}}]},"Items":[{"id":{"N":"1"}}]}').body.toString(),
      '1\n',
    );
    assert.equal(encode('{"X":{"Items":[{"id":{"N":"9"}}]}}').body.toString(), '');
  });

  test('bytes that are no UTF-8 become U+FFFD', () => {
    const body = Buffer.concat([
      Buffer.from('{"Items":[{"id":{"N":"1"},"a":{"S":"'),
      Buffer.from([0xff]),
      Buffer.from('"}}]}'),
    ]);
    assert.equal(encode(body).body.toString(), '1,\ufffd\n');
  });

  for (const body of [
    'this is not JSON',
    '[]x',
    'null',
    '{"Items":[{"id":{"N":"1"}},]}',
    '{"Items":[{"id":{"N":"1"}}',
    '{"Items":[{"id":{"N":"1"}]}',
    '{"Items":[{"id":{"N":"1"},"a":{"S":"line\nend"}}]}',
    '{"Items":[{"id":{"N":"1"},"a":{"L":[}}]}',
    '{"Items":[{"id":{"N":"1"}}{"id":{"N":"2"}}]}',
    '{"Items":[1]}',
    '{"Items":{"id":{"N":"1"}}}',
  ]) {
    test(`no JSON, or no items, is a SyntaxError: ${JSON.stringify(body)}`, () => {
      assert.throws(() => encode(body), SyntaxError);
    });
  }
});
