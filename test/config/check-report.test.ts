import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckRow, formatCheckReport } from '../../src/config/check-report.js';
import { pollsPerMonth } from '../../src/sources/billing.js';
import { readPrice, scanUnits, streamPrice } from '../../src/sources/dynamodb/cost.js';
import { metricPrice } from '../../src/sources/ec2/cost.js';

const FLAGS: CheckRow = {
  dataset: 'flag-dynamodb',
  source: 'table flag-dynamodb',
  keys: 'counter_type S',
  items: 2,
  bytes: 61,
  interval: 30_000,
  unitsPerPoll: 0.5,
  pricePerMonth: readPrice(0.5 * pollsPerMonth(30_000), 'ap-northeast-2'),
  problem: null,
  notice: null,
};

const TAXIS: CheckRow = {
  dataset: 'taxis',
  source: 'table taxi-destination-dynamodb',
  keys: 'taxi_id N',
  items: 1_048_576,
  bytes: 40_894_464,
  interval: 5_000,
  unitsPerPoll: 4992,
  pricePerMonth: readPrice(4992 * pollsPerMonth(5_000), 'us-east-1'),
  problem: null,
  notice: null,
};

const MISSING: CheckRow = {
  dataset: 'zones',
  source: 'table zones',
  keys: null,
  items: null,
  bytes: null,
  interval: 30_000,
  unitsPerPoll: null,
  pricePerMonth: null,
  problem: 'there is no table zones in us-east-1; create it',
  notice: null,
};

test('the report is an aligned table with what is wrong and the sums', () => {
  assert.equal(
    `\n${formatCheckReport([FLAGS, TAXIS, MISSING])}`,
    `
dataset        source                           key                 items   size  every  units/poll    units/month  USD/month  wrong
------------------------------------------------------------------------------------------------------------------------------------
flag-dynamodb  table flag-dynamodb              counter_type S          2   61 B    30s         0.5         43,800     < 0.01  nothing
taxis          table taxi-destination-dynamodb  taxi_id N       1,048,576  39 MB     5s       4,992  2,623,795,200     327.97  nothing
zones          table zones                      -                       -      -    30s           -              -          -  there is no table zones in us-east-1; create it
------------------------------------------------------------------------------------------------------------------------------------
together                                                                                             2,623,839,000     327.98
`,
  );
});

test('a Scan is charged by what it reads, half when eventually consistent, and never nothing', () => {
  assert.equal(scanUnits(0, { consistent: false }), 0.5);
  assert.equal(scanUnits(0, { consistent: true, segments: 4 }), 4);
  assert.equal(scanUnits(4096, { consistent: true }), 1);
  assert.equal(scanUnits(4097, { consistent: true }), 2);
  assert.equal(scanUnits(1_048_576, { consistent: false, segments: 2 }), 128);
});

test('prices follow the region, and CloudWatch is billed by the metric', () => {
  assert.equal(readPrice(1_000_000, 'us-east-1'), 0.125);
  assert.equal(readPrice(2_000_000, 'ap-northeast-2'), 0.271);
  assert.ok(readPrice(1_000_000, null) > 0.125);
  assert.equal(streamPrice(100_000, 'us-east-1').toFixed(4), '0.0200');
  assert.equal(streamPrice(100_000, 'ap-northeast-2').toFixed(4), '0.0217');
  assert.equal(streamPrice(100_000, 'ap-northeast-1').toFixed(4), '0.0228');
  // Three metrics of one instance every minute for a month.
  assert.equal(metricPrice(3 * pollsPerMonth(60_000)).toFixed(2), '1.31');
});
