import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { encodeHeader, encodeRows } from '../../src/csv/encode.js';
import type { Cell } from '../../src/csv/rows.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { asReadBack, stringColumn, table } from './cells.js';

/** What other programs read from our files is what was written: Python's `csv`, and DuckDB. */

interface Table {
  readonly header: string[];
  readonly rows: Cell[][];
}

/** Everything that is hard on a reader, one by one and all in one cell. */
const HARD = [
  '"',
  '""',
  ',',
  '\n',
  '\r',
  '\r\n',
  '\n\n',
  '🚕',
  '\u2028',
  '\0',
  '\uFEFF',
  ' ',
  "'",
  '#',
  '\\',
  '\\"',
  'é',
];

/** A lone surrogate is no character, and no database gives one; it is written as U+FFFD, so that the file is UTF-8. */
const SURROGATES: Table = { header: ['\ud83d', 'b'], rows: [['\ude95', 'x\ud83dy']] };

function tables(): Table[] {
  const hard: Table = {
    header: ['\uFEFFid', 'a "name", in\ntwo lines', ...HARD.map((text) => `column ${text}`)],
    rows: [
      [null, '', ...HARD],
      ['x', null, ...HARD.map((text) => text.repeat(2))],
      ['', null, ...HARD.map(() => HARD.join(''))],
      [null, null, ...HARD.map(() => null)],
    ],
  };
  const single: Table = { header: ['id'], rows: [[null], [''], ['a'], ['\uFEFF']] };
  const random = fc
    .sample(table, { numRuns: 200 })
    .map(({ columns, rows }) => ({ header: columns.map(({ name }) => name), rows }));
  return [hard, single, SURROGATES, ...random];
}

function encode({ header, rows }: Table): Buffer {
  const columns = header.map(stringColumn);
  return Buffer.concat([encodeHeader(columns), encodeRows(columns, rows).body]);
}

const wellFormed = (text: string): string => Buffer.from(text).toString();

const PYTHON = `
import csv, json, sys
for path in sys.stdin.read().split('\\n'):
    with open(path, encoding='utf-8', newline='') as file:
        print(json.dumps(list(csv.reader(file, strict=True))))
`;

test("Python's csv reads every cell unchanged", async (t) => {
  const version = spawnSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 11))'], {
    encoding: 'utf8',
  });
  if (version.stdout?.trim() !== 'True') {
    t.skip('needs python3 of 3.11 or later: older ones do not read NUL');
    return;
  }
  const dir = await temporaryFolder(t);
  const written = tables();
  const paths = written.map((_, index) => join(dir, `${index}.csv`));
  for (const [index, one] of written.entries()) await writeFile(paths[index]!, encode(one));
  const python = spawnSync('python3', ['-c', PYTHON], {
    input: paths.join('\n'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.equal(python.stderr, '');
  const read = python.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as string[][]);
  for (const [index, { header, rows }] of written.entries()) {
    // Python does not tell nothing from the empty string.
    const expected = [header, ...rows.map((row) => row.map((cell) => cell ?? ''))];
    assert.deepEqual(
      read[index],
      expected.map((row) => row.map(wellFormed)),
    );
  }
});

test('DuckDB reads every cell unchanged, and distinguishes an absent value from the empty string', async (t) => {
  const dir = await temporaryFolder(t);
  const instance = await DuckDBInstance.create(':memory:');
  t.after(() => instance.closeSync());
  const connection = await instance.connect();
  for (const [index, one] of tables().entries()) {
    const path = join(dir, `${index}.csv`);
    await writeFile(path, encode(one));
    // As hexadecimal digits: DuckDB's client for Node drops a U+FEFF in front of any text. Names are given, because
    // DuckDB itself takes one in front of the first name for a BOM, quoted or not.
    const names = one.header.map((_, column) => `'c${column}': 'VARCHAR'`).join(', ');
    const read =
      await connection.runAndReadAll(`SELECT hex(COLUMNS(*)) FROM read_csv('${path}', columns = {${names}},
      header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', new_line = '\\n', allow_quoted_nulls = false)`);
    const rows = (read.getRows() as Cell[][]).map((row) => row.map(textOfHex));
    const expected = one.rows.map((row) =>
      asReadBack(row).map((cell) => (cell === null ? null : wellFormed(cell))),
    );
    assert.deepEqual(rows, expected);
  }
});

function textOfHex(hex: Cell): Cell {
  return hex === null ? null : Buffer.from(hex, 'hex').toString();
}
