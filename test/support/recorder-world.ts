import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { RecorderOptions } from '../../src/recorder/recorder-options.js';
import { logLines } from './log-lines.js';
import { temporaryFolder } from './temporary-folder.js';
import { openTestRecorder } from './test-recorder.js';
import { type Items, readingOf } from './true-polls.js';

/** A data folder on which a table is recorded, each time under another configuration. Polls begin at `first`, a `step` apart. */
export async function recorderWorld(
  t: TestContext,
  { name, first, step }: { readonly name: string; readonly first: number; readonly step: number },
) {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  let at = first;
  const { logger, lines } = logLines('warn');
  const clock = { now: () => at, sleep: async () => undefined };
  const open = (options: Partial<RecorderOptions>) =>
    openTestRecorder({ name, dataDir, health: new PollHealth(step, clock), logger, ...options });
  /** One life of the service. */
  const record = async (options: Partial<RecorderOptions>, ...polls: Items[]) => {
    const recorder = await open(options);
    for (const items of polls) {
      assert.deepEqual((await recorder.record(readingOf(items), at)).problems, []);
      at += step;
    }
    await recorder.close();
  };
  const file = (name: string) => readFile(join(dataDir, name), 'utf8');
  return { dataDir, open, record, file, lines, now: () => at };
}
