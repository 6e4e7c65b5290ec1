import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  decimalKey,
  decimalKeySql,
  formatDecimal,
  parseDecimal,
  parsePlainDecimal,
  unitsOf,
} from '../../src/windows/compile/decimal.js';
import { TestDuckDb } from './duckdb-table.js';
import { plainDecimal } from './tables.js';

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

/** The number in units of 10^-400, by arithmetic instead of text. */
function units(text: string): bigint {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(`${whole}${fraction}`) * 10n ** BigInt(400 - fraction.length + Number(exponent));
}

const number = fc.oneof(
  plainDecimal,
  fc.constantFrom('-0', '007', '5.', '1e5', '-1.50E-3', '0.0', '0e9', '10e-1', '1E+20'),
);

test('keys compare as the numbers do', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [left, right] = [decimalKey(parseDecimal(a)), decimalKey(parseDecimal(b))];
      const [x, y] = [units(a), units(b)];
      assert.equal(left < right, x < y);
      assert.equal(left === right, x === y);
    }),
    { numRuns: 2000 },
  );
});

test('SQL writes the same keys', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 50 }), async (numbers) => {
      const result = await db.connection.runAndReadAll(
        `SELECT ${decimalKeySql('n')} FROM (SELECT unnest($1::VARCHAR[]) AS n)`,
        [`[${numbers.join(',')}]`],
      );
      assert.deepEqual(
        result.getRows().map(([key]) => key),
        numbers.map((text) => decimalKey(parseDecimal(text))),
      );
    }),
    { numRuns: 50 },
  );
});

test('a number is written without superfluous zeros, and is the same number', () => {
  fc.assert(
    fc.property(number, (text) => {
      const written = formatDecimal(parseDecimal(text));
      assert.match(written, /^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d*[1-9])$/);
      assert.equal(units(written), units(text));
    }),
  );
});

test('units are cut off towards zero, and it is known whether anything was', () => {
  fc.assert(
    fc.property(number, fc.integer({ min: 0, max: 20 }), (text, scale) => {
      const { units: count, exact } = unitsOf(parseDecimal(text), scale);
      const one = 10n ** BigInt(400 - scale);
      assert.equal(count, units(text) / one);
      assert.equal(exact, units(text) % one === 0n);
    }),
  );
});

test('only plain decimals are taken from a request', () => {
  for (const text of [
    '',
    '-',
    '.5',
    '5.',
    '1e5',
    '+1',
    ' 1',
    '1 ',
    '0x10',
    'Infinity',
    '١',
    '1'.repeat(401),
  ]) {
    assert.equal(parsePlainDecimal(text), null, text);
  }
});
