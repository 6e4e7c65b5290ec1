/** A source that remembers items reads what a source that never read before reads, whatever happened to the table. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { mergeColumns } from '../../../src/csv/columns.js';
import type { Column } from '../../../src/csv/rows.js';
import type { AttributeValue, Item } from '../../../src/sources/dynamodb/attributes.js';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import type { Source } from '../../../src/sources/source.js';
import { useTestAws } from '../../support/aws.js';
import { described, type ScriptedDynamoDb, startScriptedDynamoDb } from '../../support/scripted-dynamodb.js';
import { attribute, itemOf, rowsOf, value } from './items.js';

useTestAws();

/** The table that the scripted DynamoDB has. */
const table = { items: [] as Item[], pageItems: 10, size: 0 };
let server: ScriptedDynamoDb;
const threads = new ScanThreads({ size: 2 });
before(async () => {
  server = await startScriptedDynamoDb(({ action, body }) => {
    if (action === 'DescribeTable') return described({ items: table.size });
    const {
      Segment = 0,
      TotalSegments = 1,
      ExclusiveStartKey,
    } = body as {
      Segment?: number;
      TotalSegments?: number;
      ExclusiveStartKey?: Item;
    };
    const segment = table.items.filter(({ id }) => Math.abs(Number(id!.N)) % TotalSegments === Segment);
    const from = segment.findIndex(({ id }) => id!.N === ExclusiveStartKey?.id?.N) + 1;
    const Items = segment.slice(from, from + table.pageItems);
    const isLast = from + table.pageItems >= segment.length;
    return {
      ok: { Count: Items.length, Items, ...(isLast ? {} : { LastEvaluatedKey: { id: Items.at(-1)!.id } }) },
    };
  });
});
after(async () => {
  await threads.close();
  await server.close();
});

function sourceOf(options: Partial<DynamoDbSourceOptions>): Source {
  return createDynamoDbSource({
    table: 'scripted',
    region: null,
    endpoint: server.endpoint,
    columns: [],
    only: null,
    rename: {},
    consistent: false,
    segments: 1,
    maxReadCapacity: null,
    maxPollMegabytes: null,
    threads,
    ...options,
  });
}

const signal = new AbortController().signal;

/** One reading as text, and the columns; a failure by its code. */
async function read(source: Source, known: readonly Column[]) {
  try {
    const { rows, mixed = [] } = await source.read({ known, signal });
    return {
      body: rows.body.toString(),
      ends: [...rows.ends],
      columns: rows.columns,
      code: null,
      rows,
      mixed,
    };
  } catch (error) {
    const { code } = error as { code?: string };
    return { body: '', ends: [], columns: known, code, rows: null, mixed: [] as readonly string[] };
  }
}

/** A reading without the types of mixed columns: a value that made a column mixed may be gone again. */
function comparable(
  { body, ends, code, columns }: Awaited<ReturnType<typeof read>>,
  mixed: readonly string[],
) {
  const untyped = (column: Column) => (mixed.includes(column.name) ? { name: column.name } : column);
  return { body, ends, code, columns: columns.map(untyped) };
}

/** Items of some 100 bytes, so that some twenty make a block. */
function plainItem(id: number, count: number): Item {
  return itemOf(id, [
    ['count', { N: String(count) }],
    ['zone', { S: `zone ${id % 7}, ${'x'.repeat(40)}` }],
  ]);
}

interface Step {
  readonly what:
    | 'nothing'
    | 'set'
    | 'delete'
    | 'insert'
    | 'pages'
    | 'replace'
    | 'drop attribute'
    | 'forget known';
  readonly at: number;
  readonly attribute: string;
  readonly value: AttributeValue;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    'nothing',
    'set',
    'delete',
    'insert',
    'pages',
    'replace',
    'drop attribute',
    'forget known',
  ),
  at: fc.nat(1000),
  attribute,
  value,
});

function withoutAttribute(item: Item, name: string): Item {
  return itemOf(
    Number(item.id!.N),
    Object.entries(item).filter(([other]) => other !== 'id' && other !== name),
  );
}

function apply({ what, at, attribute, value }: Step, nextId: number): void {
  const { items } = table;
  const index = items.length === 0 ? 0 : at % items.length;
  if (what === 'insert' || items.length === 0) items.splice(index, 0, plainItem(nextId, at));
  else if (what === 'set')
    items[index] = itemOf(Number(items[index]!.id!.N), [
      ...Object.entries(items[index]!).filter(([name]) => name !== 'id'),
      [attribute, value],
    ]);
  else if (what === 'delete') items.splice(index, 1 + (at % 3));
  else if (what === 'pages') table.pageItems = 1 + (at % 60);
  else if (what === 'replace') table.items = items.map((item) => plainItem(Number(item.id!.N), at));
  else if (what === 'drop attribute') table.items = items.map((item) => withoutAttribute(item, attribute));
}

const OPTIONS: Readonly<Record<string, Partial<DynamoDbSourceOptions>>> = {
  'one segment': {},
  'several segments': { segments: 3 },
  'renamed columns': { rename: { count: 'zahl', zone: 'id of zone' }, columns: ['later', 'zahl'] },
  'two attributes for one column': { rename: { count: 'name' } },
  'only some columns': { only: ['count', 'at'] },
  'paths into maps and lists': { columns: ['count.a', 'zone[0]'], expand: true },
};

for (const [size, items] of [
  ['here', 0],
  ['in threads', 30_000],
] as const) {
  describe(`property: what is remembered changes nothing (${size})`, () => {
    for (const [what, options] of Object.entries(OPTIONS)) {
      test(what, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 8 }),
            fc.nat(120),
            async (polls, count) => {
              table.items = Array.from({ length: count }, (_, id) => plainItem(id, 0));
              table.pageItems = 25;
              table.size = items;
              let nextId = 10_000;
              let known: readonly Column[] = [];
              const remembering = sourceOf(options);
              for (const steps of [[], ...polls]) {
                for (const one of steps) {
                  apply(one, nextId++);
                  if (one.what === 'forget known') known = [];
                }
                const anew = sourceOf(options);
                const [found, expected] = [await read(remembering, known), await read(anew, known)];
                await anew.close();
                assert.deepEqual(comparable(found, found.mixed), comparable(expected, found.mixed));
                const unnoticed = expected.mixed.filter((column) => !found.mixed.includes(column));
                assert.deepEqual(unnoticed, []);
                known = mergeColumns(known, found.columns, {
                  keys: ['id'],
                  configured: options.columns ?? [],
                });
              }
              await remembering.close();
            },
          ),
          { numRuns: items === 0 ? 15 : 5 },
        );
      });
    }
  });
}

test('the rows are those of the items', async () => {
  table.items = Array.from({ length: 500 }, (_, id) => plainItem(id, id));
  table.pageItems = 70;
  table.size = 0;
  const source = sourceOf({});
  let { columns } = await read(source, []);
  for (const [index, count] of [3, 499, 250, 3].entries()) {
    table.items[count] = itemOf(count, [
      ['count', { N: String(-index) }],
      [`new ${index}`, { S: 'a, "b"' }],
    ]);
    table.items.splice(100 + index, 1);
    const found = await read(source, columns);
    assert.equal(found.body, rowsOf(table.items, found.columns).body.toString());
    columns = found.columns;
  }
  await source.close();
});

test('a page of as many bytes as before with one other digit is not the same page', async () => {
  table.items = Array.from({ length: 200 }, (_, id) => plainItem(id, 1));
  table.pageItems = 100;
  table.size = 0;
  const source = sourceOf({});
  const { columns } = await read(source, []);
  table.items[150] = plainItem(150, 2);
  const found = await read(source, columns);
  assert.equal(found.body, rowsOf(table.items, found.columns).body.toString());
  assert.match(found.body, /^150,2,/m);
  await source.close();
});

for (const segments of [1, 3]) {
  test(`large pages, received into memory that is used again (${segments} segments)`, async () => {
    const large = (id: number, letter: string) =>
      itemOf(id, [
        ['count', { N: String(id) }],
        ['text', { S: letter.repeat(3000 + (id % 100)) }],
      ]);
    table.items = Array.from({ length: 500 }, (_, id) => large(id, 'a'));
    table.pageItems = 40;
    table.size = 30_000;
    const source = sourceOf({ segments });
    let columns: readonly Column[] = [];
    for (const change of [() => {}, () => {}, changeSome, () => {}, () => table.items.splice(90, 7)]) {
      change();
      const found = await read(source, columns);
      assert.equal(found.body, rowsOf(table.items, found.columns).body.toString());
      columns = found.columns;
    }
    await source.close();

    function changeSome(): void {
      for (const id of [0, 41, 200, 499]) table.items[id] = large(id, 'b');
    }
  });
}

test('when nothing changed the rows are the same object, also when pages end elsewhere; else they are not', async () => {
  table.items = Array.from({ length: 500 }, (_, id) => plainItem(id, id));
  table.pageItems = 500;
  table.size = 0;
  const source = sourceOf({});
  const first = await read(source, []);
  const second = await read(source, first.columns);
  assert.equal(second.rows, first.rows);
  table.pageItems = 333;
  assert.equal((await read(source, first.columns)).rows, first.rows);
  table.items[7] = plainItem(7, 8);
  const changed = await read(source, first.columns);
  assert.notEqual(changed.rows, first.rows);
  assert.equal(changed.body, rowsOf(table.items, changed.columns).body.toString());
  assert.equal((await read(source, first.columns)).rows, changed.rows);
  const asText = first.columns.map((column) => ({ ...column, type: 'string' as const }));
  const known = await read(source, asText);
  assert.deepEqual(known.columns, changed.columns, 'types are those of the values, whatever was known');
  assert.equal(known.body, changed.body);
  await source.close();
});
