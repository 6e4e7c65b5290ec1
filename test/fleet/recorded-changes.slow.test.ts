import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.js';
import { decodeRow, rowAt, splitRows } from '../../src/csv/decode.js';
import type { Relation } from '../../src/datasets/relation.js';
import { type ChangeRow, changesBetween } from './differ.js';
import { type Poll, simulate } from './simulation.js';
import { stories } from './stories.js';
import { FleetVolume } from './volume.js';

/** The changes that the service records are those that a plain comparison of the polls finds, over restarts too. */

async function changesIn(relation: Relation): Promise<string[]> {
  const { body, ends } = await splitRows((await relation.content()).bytes);
  const rows = { columns: relation.columns!, body, ends };
  return Array.from(ends, (_, index) => decodeRow(rowAt(rows, index)).join('|'));
}

function asText(row: ChangeRow): string {
  const time = (at: number | null) => (at === null ? '' : new Date(at).toISOString());
  const { change, key, count, previousCount, since, timestamp } = row;
  return [change, key, count, previousCount, time(since), time(timestamp)].join('|');
}

test('changes are complete and nothing else, over flicker, outages and restarts', async () => {
  const restarts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(stories, restarts, async (story, when) => {
      const polls = simulate(story);
      if (polls.length === 0) return;
      const volume = new FleetVolume(systemClock);
      try {
        await volume.record(
          polls,
          when.map((part) => Math.floor(part * polls.length)).sort((a, b) => a - b),
        );
        const found = (name: string) => volume.relations.find((relation) => relation.name === name)!;
        const pairs = [
          ['flag-dynamodb-changes', (poll: Poll) => poll.flags],
          ['pickup-zone-dynamodb-changes', (poll: Poll) => poll.zones],
        ] as const;
        for (const [name, counters] of pairs) {
          const expected = changesBetween(polls, counters).map(asText);
          assert.deepEqual((await changesIn(found(name))).sort(), expected.sort(), name);
        }
      } finally {
        await volume.close();
      }
    }),
    { numRuns: 20, interruptAfterTimeLimit: 20_000, includeErrorInReport: true },
  );
});
