import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Parameters } from '../../src/web/browser/address.js';
import { filterText, parseFilterText } from '../../src/web/browser/dataset/filter-text.js';
import {
  type Filter,
  filterParameter,
  filtersOf,
  OPERATORS,
  sortOf,
  withFilters,
  withLast,
  withNextSort,
  withRange,
} from '../../src/web/browser/dataset/window.js';

const number = { name: 'count', type: 'number' } as const;
const text = { name: 'zone', type: 'string' } as const;
const time = { name: 'at', type: 'time' } as const;

const means = (typed: string, column: Parameters4) =>
  parseFilterText(typed, column)?.map((filter) => `${filterParameter(filter)}=${filter.value}`) ?? null;
type Parameters4 = typeof number | typeof text | typeof time;

test('what is typed in the head of a column', () => {
  assert.deepEqual(means('mid', text), ['zone__contains=mid']);
  assert.deepEqual(means('=Midtown', text), ['zone=Midtown']);
  assert.deepEqual(means('!=Midtown', text), ['zone__ne=Midtown']);
  assert.deepEqual(means('in a,b', text), ['zone__in=a,b']);
  assert.deepEqual(means('null', text), ['zone__isnull=true']);
  assert.deepEqual(means('!null', number), ['count__isnull=false']);
  assert.deepEqual(means('5', number), ['count=5']);
  assert.deepEqual(means('>=5 <9', number), ['count__gte=5', 'count__lt=9']);
  assert.deepEqual(means('in 1,2', number), ['count__in=1,2']);
  assert.deepEqual(means('>2026-11-24', time), ['at__gt=2026-11-24']);
  assert.deepEqual(means('  ', number), []);
});

test('an incomplete text, or one that does not fit the type, is not a filter yet', () => {
  for (const typed of ['>', '5x', '>=5 <', 'in 1,', '1e5']) assert.equal(means(typed, number), null, typed);
  assert.equal(means('!=', text), null);
  assert.equal(means('>soon', time), null);
});

test('a filter of an address is shown as a text that means it, or not at all', () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('5', '=a', 'in b', 'null', '~', ' x '),
  );
  const filter = fc.record(
    { column: fc.constant('zone'), operator: fc.constantFrom(...OPERATORS), value },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 2 }), (filters) => {
      const shown = filterText(filters, text);
      if (shown !== null) assert.deepEqual(parseFilterText(shown, text), filters);
    }),
  );
  for (const one of ['mid', '=mid', 'null', '~a', 'a b']) {
    const filters: Filter[] = [{ column: 'zone', operator: '__contains', value: one }];
    assert.notEqual(filterText(filters, text), null, one);
  }
});

test('a column that has a parameter’s name, or ends like an operator', () => {
  const columns = ['limit', 'a__gt', 'where.x'];
  const parameters: Parameters = [
    ['limit', '5'],
    ['where.limit__gt', '3'],
    ['a__gt', '1'],
  ];
  const filters = filtersOf(parameters, columns);
  assert.deepEqual(filters, [
    { column: 'limit', operator: '__gt', value: '3' },
    { column: 'a__gt', operator: '', value: '1' },
  ]);
  assert.deepEqual(withFilters(parameters, columns, 'limit', []), [
    ['limit', '5'],
    ['a__gt', '1'],
  ]);
});

test('clicks sort ascending, descending, not at all; Shift adds to the other columns', () => {
  let window: Parameters = [];
  const click = (column: string, add = false) => {
    window = withNextSort(window, column, add);
    return window.find(([name]) => name === 'sort')?.[1] ?? null;
  };
  assert.equal(click('a'), 'a');
  assert.equal(click('a'), '-a');
  assert.equal(click('b', true), '-a,b');
  assert.equal(click('b', true), '-a,-b');
  assert.equal(click('a', true), '-b');
  assert.equal(click('a'), 'a');
  assert.equal(click('a'), '-a');
  assert.equal(click('a'), null);
  assert.deepEqual(sortOf([['sort', '-a,"b,c"']]), [
    { column: 'a', descending: true },
    { column: 'b,c', descending: false },
  ]);
});

test('a relative time and bounds exclude each other', () => {
  const last = withLast([['from', '1']], '10m');
  assert.deepEqual(last, [['last', '10m']]);
  assert.deepEqual(withRange(last, null, '2'), [['to', '2']]);
  assert.deepEqual(withRange(last, null, null), last);
});
