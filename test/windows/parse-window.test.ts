import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { isPlain, listOf } from '../../src/windows/parameters.js';
import { parseWindow } from '../../src/windows/parse-window.js';
import type { WindowedDataset } from '../../src/windows/window.js';
import { isRelative } from '../../src/windows/window-key.js';
import { column, NOW, parametersOf } from './duckdb-table.js';

const boardings: WindowedDataset = {
  name: 'boardings-per-zone-today',
  columns: [
    column('zone_id', 'number'),
    column('name'),
    column('count', 'number'),
    column('open', 'boolean'),
  ],
  keys: ['zone_id'],
  timeColumn: null,
};

const log: WindowedDataset = {
  name: 'flag-dynamodb',
  columns: [column('counter_type'), column('count', 'number'), column('timestamp', 'time')],
  keys: ['counter_type'],
  timeColumn: 'timestamp',
};

const nasty: WindowedDataset = {
  name: 'nasty',
  columns: ['limit', 'where.limit', 'a', 'a__gt', 'a:b', 'b', 'c,d', '-a', 'Name', 'name'].map((name) =>
    column(name, 'number'),
  ),
  keys: [],
  timeColumn: null,
};

const parse = (query: string, dataset = log) => parseWindow(parametersOf(query), dataset, NOW);
const filters = (query: string, dataset = boardings) =>
  parse(query, dataset).filters.map(({ column, operator, values }) => [column, operator, ...values]);

/** The line that a request is refused with. */
function refusal(query: string, dataset = log): string {
  try {
    parse(query, dataset);
  } catch (error) {
    assert.ok(error instanceof DynamoCsvError);
    assert.equal(error.status, 400);
    assert.equal(error.code, 'BAD_PARAMETER');
    return error.line;
  }
  assert.fail(`${query} was taken`);
}

test('a request without parameters is the whole dataset', () => {
  assert.deepEqual(parse(''), {
    dataset: log,
    time: null,
    filters: [],
    every: null,
    aggregation: null,
    pivot: null,
    sort: [],
    offset: 0,
    limit: null,
    columns: null,
  });
});

test('last ends now, from and to are fixed', () => {
  assert.deepEqual(parse('last=10m').time, { from: NOW - 600_000, to: NOW + 1, last: 600_000 });
  assert.equal(parse('last=2w').time?.last, 14 * 86_400_000);
  assert.equal(isRelative(parse('last=10m')), true);
  const day = {
    from: Date.parse('2026-11-24T00:00:00Z'),
    to: Date.parse('2026-11-25T00:00:00Z'),
    last: null,
  };
  assert.deepEqual(parse('from=2026-11-24&to=2026-11-25').time, day);
  assert.deepEqual(parse(`from=${day.from}&to=${day.to}`).time, day);
  // What a `+` becomes in a query string that did not encode it.
  assert.equal(parse('from=2026-11-24T02:00:00+02:00').time?.from, day.from);
  assert.equal(parse('from=2026-11-23T19:00:00-05:00').time?.from, day.from);
  assert.equal(isRelative(parse('from=2026-11-24')), false);
});

test('the last of equal parameters counts, but every filter does', () => {
  assert.equal(parse('last=5m&last=10m').time?.last, 600_000);
  assert.equal(parse('limit=x&limit=3').limit, 3);
  assert.deepEqual(filters('count__gt=1&count__gt=3&count__gt=1'), [
    ['count', 'gt', '1'],
    ['count', 'gt', '3'],
  ]);
});

test('filters are read by the type of their column', () => {
  assert.deepEqual(filters('count=007.50'), [['count', 'eq', '7.5']]);
  assert.deepEqual(filters('count__lt=-12345678901234567890123456789012345678.9'), [
    ['count', 'lt', '-12345678901234567890123456789012345678.9'],
  ]);
  assert.deepEqual(filters('open__ne=true'), [['open', 'ne', 'true']]);
  assert.deepEqual(filters('name='), [['name', 'eq', '']]);
  assert.deepEqual(filters('name__contains=a%2Cb'), [['name', 'contains', 'a,b']]);
  assert.deepEqual(filters('name__isnull=false'), [['name', 'isnull', 'false']]);
  assert.deepEqual(filters('timestamp__gte=2026-11-24T09:30', log), [
    ['timestamp', 'gte', String(Date.parse('2026-11-24T09:30:00Z'))],
  ]);
});

test('a list is written a,b or as Grafana writes it', () => {
  assert.deepEqual(filters('zone_id__in=4,132,4.0'), [['zone_id', 'in', '132', '4']]);
  assert.deepEqual(filters('zone_id__in={4,132}'), [['zone_id', 'in', '132', '4']]);
  assert.deepEqual(filters('zone_id__in={4}'), [['zone_id', 'eq', '4']]);
  assert.deepEqual(filters('zone_id__in='), [['zone_id', 'in']]);
  assert.deepEqual(listOf('"a,b",c"d,,"e ""f"""'), ['a,b', 'c"d', '', 'e "f"']);
  assert.deepEqual(listOf('""'), ['']);
  assert.deepEqual(listOf('{}'), []);
  assert.deepEqual(listOf(',a'), ['', 'a']);
});

test('an exact name takes precedence over an operator, and where. selects a column named like a parameter', () => {
  assert.deepEqual(filters('a__gt=5', nasty), [['a__gt', 'eq', '5']]);
  assert.deepEqual(filters('a__gte=5', nasty), [['a', 'gte', '5']]);
  assert.deepEqual(filters('a__gt__gt=5', nasty), [['a__gt', 'gt', '5']]);
  assert.deepEqual(filters('where.limit=5', nasty), [['limit', 'eq', '5']]);
  assert.deepEqual(filters('where.limit__gt=5', nasty), [['limit', 'gt', '5']]);
  assert.deepEqual(filters('where.where.limit=5', nasty), [['where.limit', 'eq', '5']]);
  assert.deepEqual(filters('where.a=5&Name=6&name=7', nasty), [
    ['Name', 'eq', '6'],
    ['a', 'eq', '5'],
    ['name', 'eq', '7'],
  ]);
  assert.equal(parse('limit=5', nasty).limit, 5);
});

test('columns, sort and pivot take names with commas, colons and minus signs', () => {
  assert.deepEqual(parse('columns="c,d",a', nasty).columns, ['c,d', 'a']);
  assert.deepEqual(parse('sort=-a,-b,--a,b', nasty).sort, [
    { column: '-a', descending: false },
    { column: 'b', descending: true },
  ]);
  assert.deepEqual(parse('sort=--a', nasty).sort, [{ column: '-a', descending: true }]);
  assert.deepEqual(parse('pivot=a:b:b', nasty).pivot, { by: 'a:b', value: 'b' });
  assert.deepEqual(parse('pivot=counter_type:count').pivot, { by: 'counter_type', value: 'count' });
});

test('what Grafana puts in for its interval is a step', () => {
  for (const [text, step] of [
    ['500ms', 500],
    ['30s', 30_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1y', 365 * 86_400_000],
  ] as const) {
    assert.equal(parse(`every=${text}`).every, step);
  }
});

test('mistakes are reported on one line, with what was probably meant', () => {
  assert.equal(
    refusal('zone=4', boardings),
    'zone: there is no such column or parameter in boardings-per-zone-today; did you mean zone_id?',
  );
  assert.equal(
    refusal('Lmit=4', boardings),
    'Lmit: there is no such column or parameter in boardings-per-zone-today; did you mean limit?',
  );
  assert.equal(
    refusal('cuont__gte=4', boardings),
    'cuont__gte: there is no such column or parameter in boardings-per-zone-today; did you mean count__gte?',
  );
  assert.equal(
    refusal('xyz=4', boardings),
    'xyz: there is no such column or parameter in boardings-per-zone-today; its columns are zone_id, name, count, open',
  );
  assert.equal(
    refusal('count__above=4', boardings),
    'count__above: there is no such operator; write one of __ne __gt __gte __lt __lte __in __contains __isnull',
  );
  assert.equal(
    refusal('count=1e5', boardings),
    'count: "1e5" is not a number; write it in plain digits, such as 12 or -0.5',
  );
  assert.equal(
    refusal('zone_id__in=4,x', boardings),
    'zone_id__in: "x" is not a number; write it in plain digits, such as 12 or -0.5',
  );
  assert.equal(refusal('open=1', boardings), 'open: "1" is neither true nor false; write true or false');
  assert.equal(
    refusal('open__gt=true', boardings),
    'open__gt: open is true or false and has no order; compare it by =true, =false or __ne',
  );
  assert.equal(
    refusal('name__isnull=yes', boardings),
    'name__isnull: "yes" is neither true nor false; write name__isnull=true or name__isnull=false',
  );
  assert.equal(
    refusal('last=10m', boardings),
    'last: boardings-per-zone-today has no time column; leave last out',
  );
  assert.equal(
    refusal('every=1d', boardings),
    'every: boardings-per-zone-today has no time column; leave every out',
  );
  assert.equal(
    refusal('last=10 minutes'),
    'last: "10 minutes" is not a duration; write a whole number above 0 and one of ms s m h d w y, such as last=10m',
  );
  assert.match(refusal('last=0s'), /^last: "0s" is not a duration/);
  assert.equal(refusal('last=99999999w'), 'last: "99999999w" is too long; write 9999y or less');
  assert.equal(refusal('every=10000y'), 'every: "10000y" is too long; write 9999y or less');
  assert.equal(parse('last=9999y').time?.last, 9_999 * 365 * 86_400_000);
  assert.equal(
    refusal('last=1h&to=2026-11-24'),
    'last: it ends now and cannot be combined with from or to; write one or the other',
  );
  assert.equal(refusal('from=2026-11-25&to=2026-11-24'), 'from: it is later than to; exchange the two');
  assert.equal(
    refusal('from=2026-02-30'),
    'from: "2026-02-30" is not a time; write it as 2026-11-24T09:30:00Z, or in milliseconds since 1970',
  );
  assert.equal(
    refusal('limit=-1'),
    'limit: "-1" is not a number of rows; write a whole number, such as limit=10',
  );
  assert.equal(
    refusal('offset=1000000000000000'),
    'offset: "1000000000000000" is too large; write 999999999999999 or less',
  );
  assert.equal(parse('limit=999999999999999').limit, 999_999_999_999_999);
  assert.equal(
    refusal('columns=cuont'),
    'columns: there is no column cuont in flag-dynamodb; did you mean count?',
  );
  assert.equal(refusal('columns=count,count'), 'columns: count is named twice; name it once');
  assert.equal(refusal('columns='), 'columns: it names no column; name one, or leave columns out for all');
  assert.equal(
    refusal('sort=-time'),
    'sort: there is no column time in flag-dynamodb; did you mean timestamp?',
  );
  assert.match(
    refusal('pivot=counter_type'),
    /^pivot: "counter_type" does not name two columns; write pivot=names:numbers/,
  );
  assert.equal(
    refusal('pivot=count:counter_type'),
    'pivot: counter_type is not a number column; name a number column after the colon',
  );
  assert.equal(
    refusal('pivot=type:count'),
    'pivot: there is no column type in flag-dynamodb; its columns are counter_type, count, timestamp',
  );
});

test('a name or value of any length and content makes one short line', () => {
  for (const query of [
    `${'x'.repeat(5000)}=1`,
    'a%0Ab=1',
    `last=${'9'.repeat(5000)}`,
    'from=%0A',
    `count=${'1'.repeat(5000)}`,
  ]) {
    const line = refusal(query);
    assert.ok(!line.includes('\n') && line.length < 300, line);
  }
});

test('a dataset in memory answers what asks for pad and null only', () => {
  assert.equal(isPlain([]), true);
  assert.equal(isPlain(parametersOf('pad=1&null=null')), true);
  assert.equal(isPlain(parametersOf('pad=1&header=false')), false);
  assert.equal(isPlain(parametersOf('zone_id=4')), false);
});

const readings: WindowedDataset = {
  name: 'readings',
  columns: [
    column('device'),
    column('temperature', 'number'),
    column('a:b=c', 'number'),
    column('at', 'time'),
    column('never', 'string', false),
  ],
  keys: ['device'],
  timeColumn: 'at',
};

test('aggregates name their columns, and take names with colons and equals signs', () => {
  const { aggregation } = parse('agg=avg:temperature,mean=avg:a:b=c,count,max:a:b=c&by={device}', readings);
  assert.deepEqual(aggregation, {
    by: ['device'],
    aggregates: [
      { name: 'temperature_avg', function: 'avg', column: 'temperature' },
      { name: 'mean', function: 'avg', column: 'a:b=c' },
      { name: 'count', function: 'count', column: null },
      { name: 'a:b=c_max', function: 'max', column: 'a:b=c' },
    ],
    fill: null,
  });
  const pivoted = parse('agg=avg:temperature&every=1m&pivot=device:temperature_avg', readings);
  assert.deepEqual(pivoted.aggregation?.by, ['device']);
  // A column that never had a value may become one of numbers.
  assert.equal(parse('agg=avg:never', readings).aggregation?.aggregates.length, 1);
  assert.deepEqual(parse('agg=avg:temperature&sort=-temperature_avg', readings).sort, [
    { column: 'temperature_avg', descending: true },
  ]);
});

test('what is wrong with aggregates is said with what was probably meant', () => {
  const cases = [
    ['agg=mean:temperature', 'agg: there is no aggregate "mean:temperature"; did you mean avg:temperature?'],
    ['agg=avg(temp)', 'agg: there is no aggregate "avg(temp)"; did you mean avg:temperature?'],
    ['agg=temperature:max', 'agg: there is no aggregate "temperature:max"; did you mean max:temperature?'],
    ['agg=COUNT(*)', 'agg: there is no aggregate "COUNT(*)"; did you mean count?'],
    ['agg=count:*', 'agg: count:* is not written so; write agg=count for the number of rows'],
    ['agg=avrg:temp', 'agg: there is no aggregate "avrg:temp"; did you mean avg:temperature?'],
    ['agg=mean=avrg:temp', 'agg: there is no aggregate "mean=avrg:temp"; did you mean mean=avg:temperature?'],
    ['agg=avg:temprature', 'agg: there is no column temprature in readings; did you mean temperature?'],
    ['agg=avg', 'agg: avg needs a column; write avg:column, such as agg=avg:temperature'],
    ['agg=', 'agg: it names no aggregate; write one, such as agg=avg:temperature,count'],
    [
      'agg=max:device',
      'agg: max needs a number column, and device is of type string; name a number column, or use count, distinct, first or last',
    ],
    [
      'agg=count,count',
      'agg: the result would have two columns count; give one a name of its own, such as agg=other=count',
    ],
    [
      'agg=device=avg:temperature&by=device',
      'agg: the result would have two columns device; give one a name of its own, such as agg=other=avg:temperature',
    ],
    ['agg=count&every=1m&by=at', 'by: at is the column of the steps; leave it out of by, or leave every out'],
    ['agg=count&by=devce', 'by: there is no column devce in readings; did you mean device?'],
    ['agg=count&by=device,device', 'by: device is named twice; name it once'],
    ['by=device', 'by: it needs agg; write what to compute, such as agg=avg:temperature,count'],
    ['fill=0', 'fill: it needs agg; write what to compute, such as agg=avg:temperature,count'],
    ['agg=count&fill=0', /^fill: without every there are no steps to fill; write every, such as every=1m/],
    ['agg=count&every=1m&fill=nul', 'fill: "nul" is not a way to fill steps; did you mean null?'],
    [
      'agg=count&sort=temperature',
      /^sort: there is no column temperature in readings; its columns are count/,
    ],
    ['agg=count&columns=cont', 'columns: there is no column cont in readings; did you mean count?'],
    [
      'agg=avg:temperature&every=1m&pivot=devce:temperature_avg',
      /^pivot: there is no column devce in readings/,
    ],
    [
      'agg=avg:temperature&every=1m&by=device,never&pivot=device:temperature_avg',
      'pivot: with agg it needs by=device, so that each cell is of one row; write by=device',
    ],
  ] as const;
  for (const [query, line] of cases) {
    if (typeof line === 'string') assert.equal(refusal(query, readings), line);
    else assert.match(refusal(query, readings), line);
  }
  assert.equal(
    refusal('agg=rate:count', boardings),
    'agg: rate needs times, and boardings-per-zone-today has no time column; use increase',
  );
});
