import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareNumbers, plainDecimal } from '../../../src/sources/dynamodb/numbers.js';

test('plain decimal notation with all digits', () => {
  const cases = {
    '0': '0',
    '-0': '0',
    '-0.00': '0.00',
    '0E+5': '0',
    '1E+20': '100000000000000000000',
    '-1.5e3': '-1500',
    '1.50': '1.50',
    '1.234E+2': '123.4',
    '12E-1': '1.2',
    '-12e-5': '-0.00012',
    '.5': '0.5',
    '5.': '5',
    '+7': '7',
    '007': '7',
    '1e-130': `0.${'0'.repeat(129)}1`,
    '9.9999999999999999999999999999999999999E+125': `99999999999999999999999999999999999999${'0'.repeat(88)}`,
  };
  for (const [text, plain] of Object.entries(cases)) assert.equal(plainDecimal(text), plain, text);
});

test('text that is not a number is an error that quotes it', () => {
  for (const text of [
    '',
    '-',
    '.',
    'NaN',
    'Infinity',
    '1,5',
    '0x10',
    '1e',
    '1e9999',
    '12 ',
    'é'.repeat(99),
  ]) {
    assert.throws(() => plainDecimal(text), { code: 'NOT_A_NUMBER' }, text);
  }
});

/** Digits, scale and exponent as DynamoDB has them: up to 38 digits, 1E-130 to 9.99E+125. */
const numbers = fc
  .record({
    negative: fc.boolean(),
    digits: fc.stringMatching(/^[1-9][0-9]{0,37}$/),
    exponent: fc.integer({ min: -130, max: 88 }),
  })
  .map(({ negative, digits, exponent }) => ({
    text: `${negative ? '-' : ''}${digits}E${exponent}`,
    /** Times 10 to the 130th. */
    scaled: (negative ? -1n : 1n) * BigInt(digits) * 10n ** BigInt(exponent + 130),
  }));

/** The value of plain text times 10 to the 130th, exactly. */
function scaledValue(plain: string): bigint {
  const [whole = '', fraction = ''] = plain.split('.');
  return BigInt(whole + fraction.padEnd(130, '0'));
}

test('property: plain text has the value of the number, and is plain', () => {
  fc.assert(
    fc.property(numbers, ({ text, scaled }) => {
      const plain = plainDecimal(text);
      assert.match(plain, /^-?(0|[1-9]\d*)(\.\d+)?$/);
      assert.equal(scaledValue(plain), scaled);
      assert.equal(plainDecimal(plain), plain);
    }),
    { numRuns: 1000 },
  );
});

test('property: numbers compare by value, exactly', () => {
  const near = numbers.chain((a) =>
    fc.integer({ min: -2, max: 2 }).map((step) => {
      const scaled = a.scaled + BigInt(step) * 10n ** 88n;
      return [a, { text: `${scaled}E-130`, scaled }] as const;
    }),
  );
  const pairs = fc.oneof(fc.tuple(numbers, numbers), near);
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      fc.pre(plainDecimal(b.text).replace(/\D/g, '').length <= 300);
      const expected = a.scaled < b.scaled ? -1 : a.scaled > b.scaled ? 1 : 0;
      assert.equal(Math.sign(compareNumbers(a.text, b.text)), expected);
    }),
    { numRuns: 2000 },
  );
});
