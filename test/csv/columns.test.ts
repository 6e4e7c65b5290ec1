import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeColumns, widen } from '../../src/csv/columns.js';
import type { Column } from '../../src/csv/rows.js';
import { numberColumn, stringColumn } from './cells.js';

const order = { keys: ['pk', 'sk'], configured: ['count', 'note'] };
const unseen = (name: string): Column => ({ name, type: 'string', seen: false });

test('types only widen, and a column that was never seen does not bind', () => {
  const number = numberColumn('n');
  const string = stringColumn('n');
  assert.equal(widen(number, number), number);
  assert.deepEqual(widen(number, string), string);
  assert.deepEqual(widen(string, number), string);
  assert.deepEqual(widen(number, { name: 'n', type: 'boolean', seen: true }), string);
  assert.equal(widen(unseen('n'), number), number);
  assert.equal(widen(number, unseen('n')), number);
  assert.deepEqual(widen(unseen('n'), unseen('n')), unseen('n'));
});

test('keys come first, then the configured order, then the rest by code unit', () => {
  const found = ['zebra', 'Zebra', 'note', 'ähre', 'sk', 'pk', 'a'].map(stringColumn);
  assert.deepEqual(
    mergeColumns([], found, order).map(({ name }) => name),
    ['pk', 'sk', 'count', 'note', 'Zebra', 'a', 'zebra', 'ähre'],
  );
});

test('keys and configured columns exist before they have a value', () => {
  assert.deepEqual(mergeColumns([], [], { keys: ['pk'], configured: ['pk', 'count'] }), [
    unseen('pk'),
    unseen('count'),
  ]);
});

test('a column once known stays with its type, although nothing has it today', () => {
  const known = mergeColumns([], [numberColumn('count'), numberColumn('extra')], order);
  const later = mergeColumns(known, [stringColumn('pk')], order);
  assert.deepEqual(
    later.find(({ name }) => name === 'extra'),
    numberColumn('extra'),
  );
  assert.deepEqual(
    later.find(({ name }) => name === 'count'),
    numberColumn('count'),
  );
  assert.equal(mergeColumns(later, [numberColumn('count')], order), later, 'nothing new: the same object');
});

test('columns that differ only in case are two', () => {
  assert.deepEqual(
    mergeColumns([], [stringColumn('Count'), stringColumn('count')], { keys: [], configured: [] }).length,
    2,
  );
});
