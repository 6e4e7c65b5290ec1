import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRecords } from '../../../../src/sources/dynamodb/streams/delta.js';

const OPTIONS = { columns: [], only: null, rename: {} };

function compareKeysOf(...types: ('S' | 'N')[]) {
  const keys = types.map((type, index) => ({ name: `key${index}`, type }));
  return encodeRecords([], { table: 'orders', keys }, OPTIONS, []).compareKeys;
}

test('text keys are in the order of their UTF-8 bytes, as in DynamoDB', () => {
  const compare = compareKeysOf('S', 'S');
  // Around surrogates the order of UTF-16 is another one.
  const character = fc.constantFrom('', 'a', 'é', '\ud7ff', '\ue000', '\ufffd', '\u{10000}', '\u{1f600}');
  const text = fc.array(character, { maxLength: 4 }).map((characters) => characters.join(''));
  const key = fc.tuple(text, text);
  const property = fc.property(key, key, (a, b) => {
    const expected =
      Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) ||
      Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1]));
    assert.equal(Math.sign(compare(a, b)), expected);
  });
  fc.assert(property, { numRuns: 1_000 });
});

test('the sort key decides where partition keys are equal, numbers by their value', () => {
  const compare = compareKeysOf('S', 'N');
  assert.ok(compare(['a', '9'], ['a', '10']) < 0);
  assert.ok(compare(['b', '9'], ['a', '10']) > 0);
  assert.equal(compare(['a', '9'], ['a', '9']), 0);
});
