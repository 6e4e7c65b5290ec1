/**
 * What a user relies on when a table is read. Runs against dynalite, and, imported by `source-on-moto.slow.test.ts`,
 * against moto. Where moto differs from DynamoDB, the test says how.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { parse } from 'csv-parse/sync';
import { encodeHeader } from '../../../src/csv/encode.js';
import type { Column } from '../../../src/csv/rows.js';
import { createDynamoDbSource, type DynamoDbSourceOptions } from '../../../src/sources/dynamodb/source.js';
import { ScanThreads } from '../../../src/sources/dynamodb/threads.js';
import type { Reading, Source } from '../../../src/sources/source.js';
import { type Emulator, startTestDynamoDb, type TestDynamoDb } from '../../support/dynalite.js';
import { SCRIPTED_TABLE } from '../../support/scripted-source.js';

const emulator = (process.env.DYNAMODB_EMULATOR ?? 'dynalite') as Emulator;
const isMoto = emulator === 'moto';
let dynamoDb: TestDynamoDb;
let threads: ScanThreads;
before(async () => {
  dynamoDb = await startTestDynamoDb(emulator);
  threads = new ScanThreads({ size: 2 });
});
after(async () => {
  await threads.close();
  await dynamoDb.close();
});

function sourceOf(table: string, options: Partial<DynamoDbSourceOptions> = {}): Source {
  return createDynamoDbSource({
    ...SCRIPTED_TABLE,
    table,
    endpoint: dynamoDb.endpoint,
    consistent: true,
    threads,
    ...options,
  });
}

async function read(
  table: string,
  options: Partial<DynamoDbSourceOptions> = {},
  known: readonly Column[] = [],
): Promise<Reading> {
  const source = sourceOf(table, options);
  try {
    return await source.read({ known, signal: new AbortController().signal });
  } finally {
    await source.close();
  }
}

/** The reading as a file would have it. */
function csv({ rows }: Reading): string {
  return encodeHeader(rows.columns).toString() + rows.body.toString();
}

function names({ rows }: Reading): string[] {
  return rows.columns.map(({ name }) => name);
}

async function tableWith(
  keys: Parameters<TestDynamoDb['createTable']>[0],
  items: readonly Record<string, AttributeValue>[],
): Promise<string> {
  const table = await dynamoDb.createTable(keys);
  await dynamoDb.put(table, items);
  return table;
}

describe('cells', () => {
  test('every type of attribute value', async () => {
    const table = await tableWith({ id: 'S' }, [
      {
        id: { S: 'a' },
        string: { S: 'text' },
        empty: { S: '' },
        number: { N: '12.50' },
        yes: { BOOL: true },
        nothing: { NULL: true },
        binary: { B: Buffer.from([0, 255, 62]) },
        strings: { SS: ['b', 'a', '€'] },
        numbers: { NS: ['10', '9', '-1.5'] },
        binaries: { BS: [Buffer.from([2]), Buffer.from([1])] },
        list: { L: [{ S: 'x' }, { N: '1' }, { NULL: true }, { BOOL: false }, { L: [] }] },
        map: { M: { z: { N: '1' }, a: { B: Buffer.from('hi') }, m: { M: {} } } },
      },
    ]);
    const reading = await read(table);
    // DynamoDB drops a number's trailing zeros, moto keeps them.
    const number = isMoto ? '12.50' : '12.5';
    const [record] = parse(csv(reading), { columns: true }) as [Record<string, string>];
    assert.deepEqual(record, {
      id: 'a',
      binaries: '["AQ==","Ag=="]',
      binary: 'AP8+',
      empty: '',
      list: '["x",1,null,false,[]]',
      map: '{"a":"aGk=","m":{},"z":1}',
      nothing: '',
      number,
      numbers: '[-1.5,9,10]',
      string: 'text',
      strings: '["a","b","€"]',
      yes: 'true',
    });
    assert.match(csv(reading), /,"",/, 'an empty string is told from nothing');
    assert.ok(csv(reading).includes(`,,${number},`), 'NULL is nothing');
  });

  test('numbers keep all their digits', async () => {
    const numbers = {
      big: ['1E+20', '100000000000000000000'],
      digits: ['0.12345678901234567890123456789012345678', '0.12345678901234567890123456789012345678'],
      small: ['1e-130', `0.${'0'.repeat(129)}1`],
      large: ['9.99e125', `999${'0'.repeat(123)}`],
      zero: ['-0', '0'],
      whole: ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
    } as const;
    const item = Object.fromEntries(Object.entries(numbers).map(([name, [N]]) => [name, { N }]));
    const nested = { L: Object.values(numbers).map(([N]) => ({ N })) };
    const table = await tableWith({ id: 'N' }, [{ id: { N: '1' }, ...item, nested }]);
    const [record] = parse(csv(await read(table)), { columns: true }) as [Record<string, string>];
    for (const [name, [, text]] of Object.entries(numbers)) assert.equal(record[name], text, name);
    assert.equal(
      record.nested,
      `[${Object.values(numbers)
        .map(([, text]) => text)
        .join(',')}]`,
    );
  });

  test('anything in names and values reads back equal', async () => {
    const strange = ['a "quote"', 'comma,', 'new\nline', 'cr\r\n', '😀', '\u2028', 'nul\0', '  ', "'"];
    const item = Object.fromEntries(strange.map((text) => [text, { S: text }]));
    const table = await tableWith({ id: 'S' }, [{ id: { S: ',"\n\u2028😀' }, ...item }]);
    const rows = parse(csv(await read(table))) as string[][];
    const expected = Object.fromEntries([['id', ',"\n\u2028😀'], ...strange.map((text) => [text, text])]);
    const found = Object.fromEntries(rows[0]!.map((name, index) => [name, rows[1]![index]]));
    assert.deepEqual(found, expected);
  });
});

describe('columns', () => {
  test('keys, then the configured order, then by name; types; the union over all items', async () => {
    const table = await tableWith({ zone: 'S', at: 'N' }, [
      { zone: { S: 'b' }, at: { N: '1' }, count: { N: '3' }, open: { BOOL: true }, mixed: { N: '1' } },
      { zone: { S: 'a' }, at: { N: '10' }, Count: { S: 'x' }, mixed: { S: 'one' }, gone: { NULL: true } },
      { zone: { S: 'a' }, at: { N: '9' } },
    ]);
    const reading = await read(table, { columns: ['open', 'later'] });
    assert.equal(
      csv(reading),
      'zone,at,open,later,Count,count,gone,mixed\na,9,,,,,,\na,10,,,x,,,one\nb,1,true,,,3,,1\n',
    );
    assert.deepEqual(reading.keys, ['zone', 'at']);
    assert.deepEqual(
      reading.rows.columns.map(({ name, type, seen }) => [name, type, seen]),
      [
        ['zone', 'string', true],
        ['at', 'number', true],
        ['open', 'boolean', true],
        ['later', 'string', false],
        ['Count', 'string', true],
        ['count', 'number', true],
        ['gone', 'string', false],
        ['mixed', 'string', true],
      ],
    );
  });

  test('known columns stay, with their types, even when the table is empty', async () => {
    const table = await dynamoDb.createTable({ id: 'N' });
    const known = [
      { name: 'id', type: 'number', seen: true },
      { name: 'count', type: 'number', seen: true },
    ] as const;
    const reading = await read(table, {}, known);
    assert.equal(csv(reading), 'id,count\n');
    assert.deepEqual(reading.rows.columns, known);
  });

  test('an empty table has its keys', async () => {
    const reading = await read(await dynamoDb.createTable({ id: 'N', at: 'S' }));
    assert.equal(csv(reading), 'id,at\n');
  });

  test('rename applies where the attribute exists, to keys too', async () => {
    const table = await tableWith({ pickup_zone_id: 'N' }, [{ pickup_zone_id: { N: '132' }, n: { N: '5' } }]);
    const reading = await read(table, { rename: { pickup_zone_id: 'zone_id', n: 'count', absent: 'x' } });
    assert.equal(csv(reading), 'zone_id,count\n132,5\n');
    assert.deepEqual(reading.keys, ['zone_id']);
  });

  test('only leaves other columns out, by either name, with any characters', async () => {
    const table = await tableWith({ id: 'S' }, [
      {
        id: { S: '1' },
        size: { N: '1' },
        'a.b,"c"': { N: '2' },
        old: { N: '3' },
        old2: { N: '4' },
        rest: { N: '5' },
      },
    ]);
    const reading = await read(table, {
      only: ['size', 'a.b,"c"', 'new', 'old2'],
      rename: { old: 'new', old2: 'new2' },
    });
    assert.equal(csv(reading), 'id,"a.b,""c""",new,new2,size\n1,2,3,4,1\n');
  });

  test('two attributes for one column are an error that names them', async () => {
    const table = await tableWith({ id: 'S' }, [
      { id: { S: '1' }, old: { N: '1' } },
      { id: { S: '2' }, new: { N: '1' } },
    ]);
    await assert.rejects(read(table, { rename: { old: 'new' } }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'COLUMN_COLLISION');
      assert.match(error.message, /"(old|new)" and "(old|new)" of table .* would both be the column "new"/);
      return true;
    });
  });
});

describe('rows in key order', () => {
  async function orderOf(
    keys: Parameters<TestDynamoDb['createTable']>[0],
    items: Record<string, AttributeValue>[],
  ) {
    const reading = await read(await tableWith(keys, items));
    return (parse(csv(reading), { from_line: 2 }) as string[][]).map((row) => row.join(' '));
  }

  test('numbers by value, exactly', async () => {
    const sorted = [
      '-9.99e125',
      '-12345678901234567890123456789012345678',
      '-12345678901234567890123456789012345677',
      '-10',
      '-9',
      '-1e-130',
      '0',
      '1e-130',
      '0.5',
      '9',
      '10',
      '12345678901234567890123456789012345677',
      '12345678901234567890123456789012345678',
      '9.99e125',
    ];
    const scattered = [...sorted].sort().map((N) => ({ id: { N }, text: { S: N } }));
    assert.deepEqual(
      (await orderOf({ id: 'N' }, scattered)).map((row) => row.split(' ')[1]),
      sorted,
    );
  });

  test('strings by UTF-8 bytes', async () => {
    const sorted = ['A', 'B', 'a', 'aa', 'b', 'é', '\uffee', '😀'];
    const scattered = [...sorted].reverse().map((S) => ({ id: { S } }));
    assert.deepEqual(await orderOf({ id: 'S' }, scattered), sorted);
  });

  test('binary by bytes, then the sort key', async () => {
    const item = (bytes: number[], at: number) => ({ id: { B: Buffer.from(bytes) }, at: { N: String(at) } });
    const items = [
      item([1, 0], 1),
      item([1], 10),
      item([1], 9),
      item([255], 0),
      item([1, 0, 1], -1),
      item([0], 5),
    ];
    const base64 = (...bytes: number[]) => Buffer.from(bytes).toString('base64');
    assert.deepEqual(await orderOf({ id: 'B', at: 'N' }, items), [
      `${base64(0)} 5`,
      `${base64(1)} 9`,
      `${base64(1)} 10`,
      `${base64(1, 0)} 1`,
      `${base64(1, 0, 1)} -1`,
      `${base64(255)} 0`,
    ]);
  });
});

describe('large tables', () => {
  /** About 3 MB: several pages of 1 MB. */
  const COUNT = 1000;
  // moto cannot divide binary keys into segments: it answers a Scan of several with an HTML page.
  const keyOf = (text: string): AttributeValue => (isMoto ? { S: text } : { B: Buffer.from(text) });
  const textOf = (cell: string) => (isMoto ? cell : Buffer.from(cell, 'base64').toString());
  const items = Array.from({ length: COUNT }, (_, index) => ({
    id: keyOf(String(index).padStart(4, '0')),
    filler: { S: `${index} `.padEnd(3000, 'x') },
    ...(index === COUNT - 1 ? { rare: { N: '7' } } : {}),
  }));
  let table: string;
  before(async () => {
    table = await tableWith({ id: isMoto ? 'S' : 'B' }, items);
  });

  for (const segments of ['auto', 1, 3, 40] as const) {
    test(`all pages of all segments, segments: ${segments}`, async () => {
      const reading = await read(table, { segments });
      const rows = parse(csv(reading), { columns: true }) as { id: string; filler: string; rare: string }[];
      assert.deepEqual(
        rows.map(({ id, filler }) => `${textOf(id)} ${filler.split(' ')[0]}`),
        items.map((_, index) => `${String(index).padStart(4, '0')} ${index}`),
      );
      assert.equal(rows.at(-1)!.rare, '7');
      const { cost } = reading;
      assert.ok(cost.requests >= (segments === 'auto' ? 3 : segments), `${cost.requests} requests`);
      assert.ok(cost.attempts >= cost.requests);
      assert.ok(cost.bytes > 3_000_000, `${cost.bytes} bytes`);
      // moto counts a unit for a page that has items, whatever their size.
      const least = isMoto ? 1 : 350;
      assert.ok(cost.readCapacityUnits >= least, `${cost.readCapacityUnits} units`);
    });
  }

  test('a column met late is there in the rows before it, too, and known ones cost nothing', async () => {
    const first = await read(table);
    const second = await read(table, {}, first.rows.columns);
    assert.deepEqual(names(first), ['id', 'filler', 'rare']);
    assert.equal(csv(second), csv(first));
  });
});

describe('a table that changes under the service', () => {
  test('made again with another key is read with the key it has now', async () => {
    const table = await tableWith({ id: 'N' }, [{ id: { N: '2' } }]);
    const source = sourceOf(table);
    const signal = new AbortController().signal;
    const first = await source.read({ known: [], signal });
    await dynamoDb.deleteTable(table);
    await dynamoDb.createTable({ zone: 'S' }, table);
    await dynamoDb.put(table, [{ zone: { S: 'b' } }, { zone: { S: 'a' }, id: { N: '1' } }]);
    const second = await source.read({ known: first.rows.columns, signal });
    await source.close();
    assert.equal(csv(second), 'zone,id\na,1\nb,\n');
    assert.deepEqual(second.keys, ['zone']);
  });

  test('missing, it is an error in one sentence with table, region and endpoint; made, it is read', async () => {
    const table = `missing-${process.pid}`;
    const source = sourceOf(table);
    const signal = new AbortController().signal;
    await assert.rejects(
      source.read({ known: [], signal }),
      (error: Error & { code: string; line: string }) => {
        assert.equal(error.code, 'TABLE_NOT_FOUND');
        assert.equal(
          error.line,
          `There is no table ${table} (region eu-test-1, ${dynamoDb.endpoint}); ` +
            'check the name of the table, its region and the account of the credentials',
        );
        return true;
      },
    );
    await dynamoDb.createTable({ id: 'N' }, table);
    assert.equal(csv(await source.read({ known: [], signal })), 'id\n');
    await source.close();
  });
});
