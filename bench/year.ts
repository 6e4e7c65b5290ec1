/** A year's log of two counters polled every 30 seconds, written with the project's own code instead of polled. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isoTime, systemClock } from '../src/base/clock.js';
import { LocalDays } from '../src/base/local-days.js';
import { createLogger } from '../src/base/logger.js';
import { loadConfig } from '../src/config/config.js';
import { encodeRows } from '../src/csv/encode.js';
import type { Column } from '../src/csv/rows.js';
import { PollHealth } from '../src/datasets/freshness.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { LocalStore } from '../src/history/local-store.js';
import { OneSchema } from '../src/history/one-schema.js';
import { Sealer } from '../src/history/sealer.js';
import { configuredSources } from '../src/sources/index.js';
import { Sql } from '../src/sql/sql.js';
import { openRecorder } from '../src/takeover/open-recorder.js';
import { nodeFiles } from '../src/volume/files.js';
import { thisProcess } from '../src/volume/lock.js';
import { openVolume } from '../src/volume/volume.js';

export const TABLE = 'flag-dynamodb';
const COUNTERS = ['dispatch', 'pickup'] as const;
const COLUMNS: readonly Column[] = [
  { name: 'counter_type', type: 'string', seen: true },
  { name: 'count', type: 'number', seen: true },
];
/** Milliseconds between two polls. */
const SPACING = 30_000;
const DAY = 86_400_000;
const NO_COST = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/** Both counters at `at`: they rise with the hour and are reset once a day. */
function countsAt(time: number): readonly number[] {
  const ofDay = (time % DAY) / DAY;
  const dispatches = Math.floor(250_000 * (ofDay - Math.sin(2 * Math.PI * ofDay) / (2 * Math.PI)));
  return [dispatches, Math.floor(dispatches * 0.8)];
}

/** The log's CSV, with so many rows up to `end` (milliseconds since the epoch, excluded). */
function* logCsv(rows: number, end: number): Generator<string> {
  yield 'counter_type,count,timestamp\n';
  const polls = rows / COUNTERS.length;
  let lines: string[] = [];
  for (let poll = polls; poll > 0; poll -= 1) {
    const time = end - poll * SPACING;
    const counts = countsAt(time);
    const timestamp = isoTime(time);
    for (const [index, counter] of COUNTERS.entries())
      lines.push(`${counter},${counts[index]},${timestamp}\n`);
    if (lines.length < 100_000 && poll > 1) continue;
    yield lines.join('');
    lines = [];
  }
}

export interface YearOptions {
  /** The volume to create. */
  readonly dataDir: string;
  /** The configuration file to create for it. */
  readonly config: string;
  readonly rows: number;
  /** Where to write the whole log as one file; null: nowhere. */
  readonly csv: string | null;
}

/** Writes the log, derives the changes as a first poll does, and seals closed days. */
export async function makeYear({ dataDir, config: file, rows, csv }: YearOptions): Promise<void> {
  const now = systemClock.now();
  await mkdir(dataDir, { recursive: true });
  const { release } = await openVolume(dataDir, thisProcess(isoTime(now)));
  await writeFile(join(dataDir, `${TABLE}.csv`), logCsv(rows, now));
  if (csv !== null) await writeFile(csv, logCsv(rows, now));
  const config = await loadConfig({ ...process.env, CONFIG: file, DATA_DIR: dataDir }, []);
  const { title, recording, keeping } = configuredSources(config).find(
    ({ recording }) => recording.name === TABLE,
  )!;
  const logger = createLogger({ level: 'warn' });
  const options = { dataDir, timeZone: config.timeZone, clock: systemClock, logger };
  const sql = new Sql({ ...options, registry: new DatasetRegistry() });
  const recorder = await openRecorder({
    ...recording,
    source: title,
    dataDir,
    health: new PollHealth(SPACING, systemClock),
    logger,
    takeover: null,
  });
  const days = new LocalDays(config.timeZone);
  const store = new LocalStore(dataDir, nodeFiles);
  const sealer = new Sealer({ ...options, store, days, parquet: sql.parquet });
  const setAside = sealer.setAside.bind(sealer);
  const oneSchema = new OneSchema({ ...options, store, parquet: sql.parquet, setAside });
  const cells = countsAt(now).map((count, index) => [COUNTERS[index]!, String(count)]);
  const found = { rows: encodeRows(COLUMNS, cells), keys: ['counter_type'], cost: NO_COST };
  const reading = { kind: 'full', position: null, ...found } as const;
  const { problems } = await recorder.record(reading, now);
  if (problems[0] !== undefined) throw problems[0];
  for (const dataset of [recorder.log!, recorder.changes!]) {
    await sealer.seal(dataset, keeping);
    await oneSchema.unify(dataset);
  }
  await recorder.close();
  await sql.close();
  await release();
}
