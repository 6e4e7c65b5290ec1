import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import { openRecorder } from '../../src/takeover/open-recorder.js';
import { logLines } from '../support/log-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';

test('months of the Python script: what the start is waiting for is logged first', async (t) => {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  const scriptPath = join(dataDir, 'flag-dynamodb.csv');
  const row = `${'x'.repeat(200)},5,2025-02-14 09:30:00\n`;
  const count = Math.ceil((16 * 1_024 * 1_024) / row.length);
  const script = `counter_type,count,timestamp\n${row.repeat(count)}`;
  await writeFile(scriptPath, script);
  const { logger, lines } = logLines('info');
  const recorder = await openRecorder({
    name: 'flags',
    source: 'DynamoDB table flag-dynamodb',
    dataDir,
    health: new PollHealth(30_000, { now: () => 0, sleep: async () => undefined }),
    logger,
    log: true,
    changes: false,
    configured: [],
    timestampColumn: null,
    takeover: { kind: 'log', path: join(dataDir, 'flags.csv'), scriptPath },
  });
  t.after(() => recorder.close());
  assert.deepEqual(
    lines.map(({ msg, file, bytes, rows }) => ({ msg, file, bytes, rows })),
    [
      { msg: 'reading a large file', file: 'flag-dynamodb.csv', bytes: script.length, rows: undefined },
      { msg: "took over the Python script's file", file: undefined, bytes: undefined, rows: count },
    ],
  );
  assert.equal(await readFile(join(dataDir, 'taken-over', 'flag-dynamodb.csv'), 'utf8'), script);
});
