import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Address,
  formatAddress,
  formatList,
  formatQuery,
  type Parameters,
  parseAddress,
  parseList,
  parseQuery,
} from '../../src/web/browser/address.js';

/** A record as an object literal makes it. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const text = fc.string({ unit: 'grapheme', minLength: 1 });
const parameters = fc.array(fc.tuple(text, fc.string({ unit: 'grapheme' })));
const route: fc.Arbitrary<Address['route']> = fc.oneof(
  fc.constant({ page: 'overview' as const }),
  plain({
    page: fc.constant('fleet' as const),
    map: fc.constantFrom('destinations' as const, 'boardings' as const),
  }),
  plain({
    page: fc.constant('dataset' as const),
    name: text,
    plot: fc.option(plain({ value: text, series: fc.option(text) })),
    parameters,
  }),
  plain({ page: fc.constant('sql' as const), text: fc.string({ unit: 'grapheme' }) }),
);

test('whatever the page shows comes back from its address', () => {
  fc.assert(
    fc.property(fc.constantFrom('en' as const, 'ko' as const, null), route, (language, route) => {
      assert.deepEqual(parseAddress(formatAddress({ language, route })), { language, route });
    }),
  );
});

test('a query string round-trips, and is safe in single quotes in a shell', () => {
  fc.assert(
    fc.property(parameters, (pairs) => {
      const query = formatQuery(pairs);
      assert.deepEqual(parseQuery(query), pairs);
      assert.ok(!query.includes("'"));
    }),
  );
});

test("the address of a dataset's page has the query string of its CSV, readable", () => {
  const window: Parameters = [
    ['from', '2026-11-24T05:00:00Z'],
    ['columns', 'zone_id,count'],
    ['zone', "Hell's Kitchen & more"],
  ];
  const query = '?from=2026-11-24T05:00:00Z&columns=zone_id,count&zone=Hell%27s%20Kitchen%20%26%20more';
  assert.equal(formatQuery(window), query);
  assert.equal(
    formatAddress({
      language: null,
      route: { page: 'dataset', name: 'a b', plot: null, parameters: window },
    }),
    `#/datasets/a%20b${query}`,
  );
});

test('lists round-trip, whatever their items', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (items) => {
      assert.deepEqual(parseList(formatList(items)), items);
    }),
  );
});

test('an address that means nothing is the overview', () => {
  for (const hash of ['', '#', '#/', '#/nothing', '#/datasets', '#/%E0%A4%A']) {
    assert.deepEqual(parseAddress(hash), { language: null, route: { page: 'overview' } });
  }
});
