import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { configuredTable } from '../../src/sources/dynamodb/kind.js';
import { type TableOptions, tableConfig } from '../../src/sources/dynamodb/options.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { openTestRecorder } from '../support/test-recorder.js';

const filter = { expression: 'amount > :min', values: { ':min': 5 } };

for (const [options, shown] of [
  [{}, 'DynamoDB table orders'],
  [{ index: 'by-status' }, 'index by-status of DynamoDB table orders'],
  [{ query: { key: { id: 'a' } } }, 'query of DynamoDB table orders'],
  [{ query: { index: 'by-day', key: { day: '{today}' } } }, 'query of index by-day of DynamoDB table orders'],
  [{ filter }, 'DynamoDB table orders with a filter'],
] as const satisfies (readonly [TableOptions, string])[])
  test(`a dataset says that it has ${shown}`, async (t) => {
    const dataDir = await temporaryFolder(t);
    await mkdir(join(dataDir, '.dynamo-csv'));
    const source = configuredTable(tableConfig('some-orders', { table: 'orders', ...options }));
    assert.equal(source.title, 'DynamoDB table orders', 'its files are recognised by this');
    const health = new PollHealth(30_000, systemClock);
    const recorder = await openTestRecorder({ ...source.recording, source: source.title, dataDir, health });
    const [dataset] = recorder.datasets;
    assert.equal(dataset!.source, shown);
    assert.equal(dataset!.description, `What the latest poll of ${shown} found.`);
    await recorder.close();
  });
