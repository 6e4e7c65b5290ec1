import { join } from 'node:path';
import { pino } from 'pino';
import { LocalDays } from '../../src/base/local-days.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import { LocalStore } from '../../src/history/local-store.js';
import { Sealer } from '../../src/history/sealer.js';
import { nodeFiles } from '../../src/volume/files.js';
import { PlainDays } from './plain-days.js';
import { ALL_KEPT } from './recorder-runs.js';
import { openTestRecorder } from './test-recorder.js';
import { type Item, type Items, itemsOf } from './true-polls.js';

/*
 * A table of which every poll is known by its number, so that a process that records it and one that checks what was
 * recorded agree without a word.
 */

/** Twelve polls make a day, and days are sealed on the way. */
const INTERVAL = 2 * 3_600_000;
const FIRST_POLL = Date.parse('2026-11-24T00:00:00.000Z');
const logger = pino({ level: 'silent' });

export function timeOfPoll(number: number): number {
  return FIRST_POLL + number * INTERVAL;
}

/** Every third reading arrives three days late. */
function timeOfReading(number: number): string {
  const days = number % 3 === 0 ? 3 : 0;
  return new Date(timeOfPoll(number) - days * 86_400_000).toISOString();
}

/** Items come, change and go; now and then there is a new attribute, a value of another type, or nothing at all. */
export function itemsOfPoll(number: number): Items {
  if (number % 23 === 22) return itemsOf({});
  const items: Record<string, Item> = {};
  for (let taxi = 0; taxi < 9; taxi++) {
    if ((number + taxi) % 5 === 0) continue;
    const item: Record<string, string> = { count: String(Math.floor(number / (taxi + 1))) };
    if (taxi === 3) item[`since${Math.floor(number / 30)}`] = 'a, "b"\nc';
    if (taxi === 4 && number % 41 === 40) item.count = 'many';
    items[`taxi ${taxi}`] = item;
  }
  for (let reading = Math.max(0, number - 5); reading <= number; reading++) {
    items[`reading ${reading}`] = { at: timeOfReading(reading) };
  }
  return itemsOf(items);
}

/** The recorder and the sealer of that table in a folder, as the service would open them. */
export async function openTable(dataDir: string, kept: string, number: number) {
  const clock = { now: () => timeOfPoll(number), sleep: async () => undefined };
  const recorder = await openTestRecorder({
    name: 'flags',
    dataDir,
    health: new PollHealth(INTERVAL, clock),
    logger,
    ...ALL_KEPT[kept]!,
  });
  const appended = [recorder.log, recorder.changes].filter((dataset) => dataset !== null);
  const parquet = new PlainDays(nodeFiles);
  const sealer = new Sealer({
    store: new LocalStore(dataDir, nodeFiles),
    days: new LocalDays('UTC'),
    parquet,
    clock,
    logger,
  });
  for (const dataset of appended) await sealer.restore(dataset);
  return {
    recorder,
    snapshotPath: join(dataDir, 'flags.csv'),
    /** Seals all days but the one of the latest poll. */
    seal: async (latest: number) => {
      number = latest;
      for (const dataset of appended) await sealer.seal(dataset, { keep: 1, retention: null });
    },
  };
}
