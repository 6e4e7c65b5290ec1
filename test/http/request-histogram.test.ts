import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { RequestHistogram } from '../../src/http/request-histogram.js';

test("a histogram of requests reads as prom-client's own", async () => {
  const options = { name: 'seconds', help: 'How long.', buckets: [0.001, 0.1, 1] };
  const [ours, theirs] = [new Registry(), new Registry()];
  const histogram = new RequestHistogram({ ...options, registry: ours });
  const reference = new Histogram({ ...options, labelNames: ['method', 'status'], registers: [theirs] });
  for (const labels of [
    { method: 'GET', status: 200 },
    { method: 'GET', status: 304 },
  ]) {
    const series = histogram.series(labels);
    for (const seconds of [0, 0.001, 0.0011, 0.5, 1, 7]) {
      series.observe(seconds);
      reference.observe(labels, seconds);
    }
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});
