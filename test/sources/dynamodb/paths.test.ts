/** Paths into maps and lists: how they are written, and that columns of them hold what `JSON.parse` finds there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeRow, rowAt } from '../../../src/csv/decode.js';
import { type AttributeValue, attributeToCell, type Item } from '../../../src/sources/dynamodb/attributes.js';
import type { ColumnOptions } from '../../../src/sources/dynamodb/layout.js';
import { openPage } from '../../../src/sources/dynamodb/page.js';
import {
  attributeText,
  columnOfPath,
  type DocumentPath,
  meaningsOf,
  parsePath,
  pathText,
} from '../../../src/sources/dynamodb/paths.js';
import { MOST_EXPANDED, RunEncoder } from '../../../src/sources/dynamodb/run-encoder.js';
import { itemOf, value } from './items.js';

const NAMES = [
  'a',
  'b',
  'city',
  'a.b',
  'x[0]',
  '"q"',
  'back\\slash',
  'é😀',
  '',
  ' ',
  '__proto__',
  '0',
  '\n',
  ']',
];
const name = fc.constantFrom(...NAMES);

describe('a path', () => {
  const written: Readonly<Record<string, DocumentPath | null>> = {
    city: ['city'],
    'address.city': ['address', 'city'],
    'tags[0]': ['tags', 0],
    'orders[2].lines[10].sku': ['orders', 2, 'lines', 10, 'sku'],
    'm[0][1]': ['m', 0, 1],
    '"a.b".c': ['a.b', 'c'],
    'a."b.c"': ['a', 'b.c'],
    '"a.b"': ['a.b'],
    '"say \\"hi\\"".x': ['say "hi"', 'x'],
    'with space.and-dash': ['with space', 'and-dash'],
    '가격.원': ['가격', '원'],
    'a..b': null,
    'a.': null,
    '.a': null,
    '[0]': null,
    'a[': null,
    'a[-1]': null,
    'a[01]': null,
    'a[1.5]': null,
    'a[x]': null,
    'a[0]b': null,
    'a]': null,
    'a"b': null,
    '"a"b': null,
    '"open': null,
    '': null,
  };
  for (const [text, path] of Object.entries(written)) {
    test(`${JSON.stringify(text)} is ${path === null ? 'none' : JSON.stringify(path)}`, () =>
      assert.deepEqual(parsePath(text), path));
  }

  test('property: what is written is read as the same path, whatever its names', () => {
    const path = fc.tuple(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.nat(999_999))),
    );
    fc.assert(
      fc.property(path, ([first, rest]) => {
        assert.deepEqual(parsePath(pathText([first, ...rest])), [first, ...rest]);
        assert.equal(columnOfPath(attributeText(first)), first);
        assert.ok(meaningsOf(first).includes(attributeText(first)));
      }),
    );
  });
});

function encode(options: Partial<ColumnOptions>, items: readonly Item[], known: readonly string[] = []) {
  const encoder = new RunEncoder(
    {
      table: 't',
      keys: [{ name: 'id', type: 'N' }],
      options: { columns: [], only: null, rename: {}, ...options },
      known: known.map((column) => ({ name: column, type: 'string', seen: true })),
    },
    [],
  );
  // Two pages, of which the second has spaces between tokens.
  const half = Math.ceil(items.length / 2);
  encoder.add(0, openPage(Buffer.from(JSON.stringify({ Items: items.slice(0, half) }))));
  encoder.add(0, openPage(Buffer.from(JSON.stringify({ Items: items.slice(half) }, null, 1))));
  const { rows, beyond } = encoder.finish().run;
  const table = Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index)));
  return { columns: rows.columns, table, beyond };
}

/** The column's cells, in the order of the items. */
function cellsOf({ columns, table }: ReturnType<typeof encode>, column: string) {
  const index = columns.findIndex((one) => one.name === column);
  assert.notEqual(index, -1, `no column ${column} among ${columns.map((one) => one.name).join(' ')}`);
  return table.map((row) => row[index]);
}

function valueAt(
  value: AttributeValue | undefined,
  [segment, ...rest]: DocumentPath,
): AttributeValue | undefined {
  if (segment === undefined || value === undefined) return value;
  const inside =
    typeof segment === 'number'
      ? value.L?.[segment]
      : Object.hasOwn(value.M ?? {}, segment)
        ? value.M![segment]
        : undefined;
  return valueAt(inside, rest);
}

function cellAt(item: Item, [attribute, ...rest]: DocumentPath) {
  const own = Object.hasOwn(item, attribute as string) ? item[attribute as string] : undefined;
  const found = valueAt(own, rest);
  const cell = found === undefined ? null : attributeToCell(found);
  // As UTF-8 has it, which knows no lone surrogates.
  return cell === null ? null : Buffer.from(cell).toString();
}

const { nested } = fc.letrec<{ nested: AttributeValue }>((tie) => ({
  nested: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    value,
    fc.array(tie('nested'), { maxLength: 3 }).map((L) => ({ L })),
    fc.dictionary(name, tie('nested'), { maxKeys: 4, noNullPrototype: true }).map((M) => ({ M })),
    fc.dictionary(name, tie('nested'), { maxKeys: 4, noNullPrototype: true }).map((M) => ({ M })),
  ),
}));
const ATTRIBUTES = ['meta', 'tags', 'é'];
const items = fc
  .array(fc.dictionary(fc.constantFrom(...ATTRIBUTES), nested, { maxKeys: 3 }), { maxLength: 8 })
  .map((all) => all.map((values, id) => itemOf(id, Object.entries(values))));
const path: fc.Arbitrary<DocumentPath> = fc
  .tuple(
    fc.constantFrom(...ATTRIBUTES),
    fc.array(fc.oneof({ weight: 3, arbitrary: name }, { weight: 2, arbitrary: fc.nat(2) }), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([first, rest]) => [first, ...rest]);

test('property: a column of a path has the value that JSON.parse finds there, for any names and values', () => {
  fc.assert(
    fc.property(
      items,
      fc.uniqueArray(path, { maxLength: 5, selector: pathText }),
      fc.boolean(),
      (all, paths, isOnly) => {
        const columns = paths.map(pathText);
        const found = encode({ columns, only: isOnly ? columns : null }, all);
        for (const one of paths) {
          assert.deepEqual(
            cellsOf(found, pathText(one)),
            all.map((item) => cellAt(item, one)),
          );
        }
        if (isOnly)
          assert.deepEqual(
            found.columns.map((column) => column.name),
            ['id', ...columns],
          );
        // Attributes are published whole besides.
        else
          for (const attribute of ATTRIBUTES.filter((one) => all.some((item) => Object.hasOwn(item, one))))
            assert.deepEqual(
              cellsOf(found, attribute),
              all.map((item) => cellAt(item, [attribute])),
            );
      },
    ),
    { numRuns: 500 },
  );
});

function leavesOf(value: AttributeValue, path: DocumentPath): DocumentPath[] {
  const members =
    value.M !== undefined ? Object.entries(value.M) : value.L !== undefined ? [...value.L.entries()] : [];
  return members.length === 0
    ? [path]
    : members.flatMap(([segment, inside]) => leavesOf(inside, [...path, segment]));
}

test('property: expand makes a column of each value in maps and lists, and of nothing else', () => {
  fc.assert(
    fc.property(items, (all) => {
      const paths = new Map(
        all
          .flatMap((item) => Object.entries(item).flatMap(([attribute, one]) => leavesOf(one, [attribute])))
          .map((leaf) => [pathText(leaf), leaf]),
      );
      const found = encode({ expand: true }, all);
      const columns = new Set(found.columns.map((column) => column.name));
      assert.deepEqual(columns, new Set(['id', ...paths.keys()]));
      for (const [column, leaf] of paths) {
        const expected = all.map((item) => {
          const isLeaf = leavesOf({ M: item }, []).some((one) => pathText(one) === column);
          return isLeaf ? cellAt(item, leaf) : null;
        });
        assert.deepEqual(cellsOf(found, column), expected, column);
      }
      assert.deepEqual(found.beyond, []);
    }),
    { numRuns: 300 },
  );
});

describe('columns of paths', () => {
  const ORDER: Item = {
    id: { N: '1' },
    address: { M: { city: { S: 'Seoul' }, geo: { M: { lat: { N: '37.5' } } } } },
    tags: { L: [{ S: 'new' }, { S: 'gift, wrapped' }] },
  };

  test('have the types of their values, and may be renamed', () => {
    const { columns, table } = encode(
      {
        columns: ['tags[1]', 'lat'],
        rename: { 'address.geo.lat': 'lat', 'address.city': 'city' },
        only: ['lat', 'city', 'tags[1]'],
      },
      [ORDER],
    );
    assert.deepEqual(
      columns.map((column) => [column.name, column.type]),
      [
        ['id', 'number'],
        ['tags[1]', 'string'],
        ['lat', 'number'],
        ['city', 'string'],
      ],
    );
    assert.deepEqual(table, [['1', 'gift, wrapped', '37.5', 'Seoul']]);
  });

  test('an attribute whose own name looks like a path stays one', () => {
    const flat: Item = { id: { N: '2' }, 'address.city': { S: 'flat' } };
    for (const columns of [['address.city'], ['"address.city"']]) {
      assert.deepEqual(cellsOf(encode({ columns, only: columns }, [flat]), 'address.city'), ['flat']);
    }
  });

  test('a path and an attribute of the same name are an error, which quotes or another name mend', () => {
    const both = [ORDER, { id: { N: '2' }, 'address.city': { S: 'flat' } }];
    assert.throws(() => encode({ columns: ['address.city'] }, both), {
      code: 'COLUMN_COLLISION',
      message:
        'The path "address.city" and the attribute "address.city" of table t would both be the column "address.city"',
    });
    assert.deepEqual(cellsOf(encode({ columns: ['"address.city"'] }, both), 'address.city'), [null, 'flat']);
    const renamed = encode({ columns: ['address.city'], rename: { '"address.city"': 'flat' } }, both);
    assert.deepEqual(cellsOf(renamed, 'address.city'), ['Seoul', null]);
    assert.deepEqual(cellsOf(renamed, 'flat'), [null, 'flat']);
  });

  test('reach as deep as DynamoDB nests', () => {
    let deep: AttributeValue = { S: 'bottom' };
    for (let level = 0; level < 31; level++) deep = level % 2 === 0 ? { M: { m: deep } } : { L: [deep] };
    const column = pathText(leavesOf(deep, ['top'])[0]!);
    assert.deepEqual(cellsOf(encode({ columns: [column] }, [{ id: { N: '1' }, top: deep }]), column), [
      'bottom',
    ]);
    assert.deepEqual(cellsOf(encode({ expand: true }, [{ id: { N: '1' }, top: deep }]), column), ['bottom']);
  });
});

describe('expand', () => {
  test('is limited: an item with further values has the whole attribute as JSON too', () => {
    const scores = (from: number, count: number): AttributeValue => ({
      M: Object.fromEntries(Array.from({ length: count }, (_, index) => [`u${from + index}`, { N: '1' }])),
    });
    const found = encode({ expand: true }, [
      { id: { N: '1' }, scores: scores(0, MOST_EXPANDED) },
      { id: { N: '2' }, scores: scores(MOST_EXPANDED - 1, 2) },
    ]);
    assert.equal(found.columns.length, 2 + MOST_EXPANDED);
    assert.deepEqual(found.beyond, ['scores']);
    assert.deepEqual(cellsOf(found, 'scores'), [null, `{"u${MOST_EXPANDED - 1}":1,"u${MOST_EXPANDED}":1}`]);
    assert.deepEqual(cellsOf(found, `scores.u${MOST_EXPANDED - 1}`), ['1', '1']);
  });

  test('keeps the columns that are known, however many there are', () => {
    const known = Array.from({ length: MOST_EXPANDED + 5 }, (_, index) => `m.k${index}`);
    const { table, beyond } = encode(
      { expand: true },
      [{ id: { N: '1' }, m: { M: { k3: { S: 'x' } } } }],
      known,
    );
    assert.equal(table[0]?.includes('x'), true);
    assert.deepEqual(beyond, []);
  });
});
