import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWindow } from '../../src/windows/parse-window.js';
import { parseShape } from '../../src/windows/shape.js';
import type { WindowedDataset } from '../../src/windows/window.js';
import { windowKey } from '../../src/windows/window-key.js';
import { column, NOW, parametersOf } from './duckdb-table.js';

const dataset: WindowedDataset = {
  name: 'flag-dynamodb',
  columns: [column('counter_type'), column('count', 'number'), column('timestamp', 'time')],
  keys: ['counter_type'],
  timeColumn: 'timestamp',
};

function key(query: string, now = NOW, of = dataset): string {
  const parameters = parametersOf(query);
  return windowKey(parseWindow(parameters, of, now), parseShape(parameters));
}

test('requests that mean the same have the same key', () => {
  const same = [
    ['count__gt=5&counter_type=pickup', 'counter_type=pickup&where.count__gt=5.0&count__gt=05'],
    ['counter_type__in={pickup,dispatch}', 'counter_type__in=dispatch,pickup,pickup'],
    ['counter_type__in=pickup', 'counter_type=pickup'],
    ['last=10m', 'last=600s'],
    ['every=1d', 'every=24h'],
    ['from=2026-11-24', 'from=2026-11-24T00:00:00Z'],
    ['from=2026-11-24', `from=${Date.parse('2026-11-24T00:00:00Z')}`],
    ['', 'columns=counter_type,count,timestamp&offset=0&pad=0&null=&header=true&delimiter=,&format=csv'],
    ['format=json', 'format=json&pad=1&null=null'],
    ['sort=count', 'sort=count,-count'],
    ['limit=5', 'limit=7&limit=5'],
    ['agg=max:count,rows=count', 'agg={count_max=max:count,rows=count}'],
    [
      'agg=max:count&pivot=counter_type:count_max',
      'agg=max:count&by=counter_type&pivot=counter_type:count_max',
    ],
    ['agg=count&every=1m', 'agg=count&every=60s&columns=timestamp,count'],
  ] as const;
  for (const [a, b] of same) assert.equal(key(a), key(b), `${a} and ${b}`);
});

test('a relative window keeps its key as time passes', () => {
  assert.equal(key('last=10m'), key('last=10m', NOW + 86_400_000));
});

test('requests that mean something else have another key', () => {
  const requests = [
    '',
    'last=10m',
    'last=10s',
    'from=600000',
    'to=600000',
    'counter_type=pickup',
    'counter_type__ne=pickup',
    'counter_type__in=',
    'counter_type__in=a,b',
    'counter_type__in="a,b"',
    'columns=count',
    'columns=count,timestamp',
    'columns=timestamp,count',
    'sort=count',
    'sort=-count',
    'limit=5',
    'offset=5',
    'every=5m',
    'pivot=counter_type:count',
    'agg=avg:count',
    'agg=max:count',
    'agg=top=max:count',
    'agg=max:count&by=counter_type',
    'agg=max:count&pivot=counter_type:count_max',
    'agg=max:count&every=5m',
    'agg=max:count&every=5m&fill=null',
    'agg=max:count&every=5m&fill=0',
    'pad=1',
    'null=null',
    'header=false',
    'delimiter=;',
    'format=json',
    'format=parquet',
  ];
  assert.equal(new Set(requests.map((query) => key(query))).size, requests.length);
  assert.notEqual(key(''), key('', NOW, { ...dataset, name: 'other' }));
});
