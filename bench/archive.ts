import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Archive } from '../src/archive/archive.js';
import type { ObjectStore } from '../src/archive/objects.js';
import type { Point } from '../src/archive/point.js';
import { restorePoint } from '../src/archive/restore.js';
import { S3Objects } from '../src/archive/s3-objects.js';
import { PointTaker } from '../src/archive/take-point.js';
import { isoTime, systemClock } from '../src/base/clock.js';
import { LocalDays } from '../src/base/local-days.js';
import { createLogger } from '../src/base/logger.js';
import { PollHealth } from '../src/datasets/freshness.js';
import { DatasetRegistry } from '../src/datasets/registry.js';
import { ArchivedDays } from '../src/history/archived-days.js';
import { LocalStore } from '../src/history/local-store.js';
import { Sealer } from '../src/history/sealer.js';
import type { HistoryStore } from '../src/history/store.js';
import { Sql } from '../src/sql/sql.js';
import { openRecorder } from '../src/takeover/open-recorder.js';
import { nodeFiles } from '../src/volume/files.js';
import { csvFile } from '../src/volume/layout.js';
import { ArchivedHistory } from '../test/archive/archived-days.js';
import { MemoryObjects } from '../test/archive/memory-objects.js';
import { useTestAws } from '../test/support/aws.js';
import { startMoto, withoutMoto } from '../test/support/moto.js';
import { newBucket } from '../test/support/s3-servers.js';
import { startVersitygw, withoutVersitygw } from '../test/support/versitygw.js';
import {
  alternate,
  type Benchmark,
  type Comparison,
  type Cost,
  measured,
  median,
  pairedRatio,
} from './harness.js';
import { writeFleetConfig } from './service.js';
import { makeYear, TABLE } from './year.js';

/** A year of two counters every 30 seconds. */
const ROWS = 2_100_000;
const DAY = 86_400_000;
const TIME_ZONE = 'America/New_York';
const POINTS = 20;
/** Days that are asked for, each for the first time. */
const DAYS = 30;
const never = new AbortController().signal;
const silent = createLogger({ level: 'silent' });

/** The archive costs little, a lost machine is back soon, and a day that is not here comes when it is asked for. */
export const archiveBenchmark: Benchmark = {
  name: 'archive',
  about: `a log of ${ROWS} rows (a year) in S3 (versitygw or moto, if installed, on this machine)`,
  run: async () => {
    useTestAws();
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    const { objects, kind, close } = await bucket();
    try {
      const dataDir = join(folder, 'data');
      await makeYear({ dataDir, config: await writeFleetConfig(folder, '30s'), rows: ROWS, csv: null });
      const { lines, archive, point } = await uploading(objects, dataDir, kind);
      return [
        ...lines,
        ...(await restoring(archive, point, folder)),
        ...(await asking(objects, dataDir, folder)),
      ];
    } finally {
      await close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function bucket(): Promise<{ objects: ObjectStore; kind: string; close: () => Promise<void> }> {
  if (withoutVersitygw && withoutMoto)
    return { objects: new MemoryObjects(), kind: 'memory', close: async () => {} };
  const server = await (withoutVersitygw ? startMoto() : startVersitygw());
  process.env.AWS_ENDPOINT_URL_S3 = server.endpoint;
  const objects = new S3Objects({ bucket: await newBucket(server.endpoint), prefix: '', region: null });
  const close = async () => {
    objects.close();
    await server.close();
  };
  return { objects, kind: withoutVersitygw ? 'moto' : 'versitygw', close };
}

/** The first point, which sends everything, and those of each minute afterwards. */
async function uploading(objects: ObjectStore, dataDir: string, kind: string) {
  const archive = await Archive.open(objects);
  const taker = new PointTaker(archive, dataDir, nodeFiles, await ArchivedDays.open(dataDir, nodeFiles));
  let last: Point | null = null;
  let bytes = 0;
  const take = () =>
    measured(async () => {
      const options = {
        fence: 1,
        now: Date.now(),
        signal: never,
        mayReplace: () => true,
        describe: async () => null,
      };
      const uploaded = await taker.take([], last, options);
      await archive.add(uploaded.point);
      last = uploaded.point;
      bytes = uploaded.bytes;
    });
  const first = await take();
  const sent = bytes;
  const points: Cost[] = [];
  for (let index = 0; index < POINTS; index += 1) {
    // What a minute adds.
    const at = isoTime(Date.now());
    await appendFile(csvFile(dataDir, TABLE), `dispatch,${index},${at}\npickup,${index},${at}\n`.repeat(2));
    points.push(await take());
  }
  const cpu = median(points.map((point) => point.cpu));
  return {
    archive,
    point: last as unknown as Point,
    lines: [
      told(
        `first upload of a year (${(sent / 1e6).toFixed(0)} MB, ${kind}), wall, processor`,
        first.wall,
        first.cpu,
      ),
      told('a point a minute, wall, processor', median(points.map(({ wall }) => wall)), cpu),
      {
        ...told('its share of one processor', cpu, null),
        ours: `${(cpu / 600).toFixed(2)} %`,
        goal: 'under 1 %',
        reached: cpu < 600,
      },
    ],
  };
}

async function restoring(archive: Archive, point: Point, folder: string): Promise<readonly Comparison[]> {
  let count = 0;
  const restore = (isAll: boolean) => async () => {
    const to = join(folder, `restored-${++count}`);
    const options = { files: nodeFiles, signal: never, comesAlong: () => isAll };
    const { wall } = await measured(() => restorePoint(archive, point, to, options));
    await rm(to, { recursive: true });
    return wall;
  };
  const [all = [], without = []] = await alternate([restore(true), restore(false)], {
    warmups: 0,
    rounds: 3,
  });
  return [
    told(
      `a year restored, with its ${point.days.length} sealed files, against without them`,
      median(all),
      median(without),
    ),
  ];
}

/** The first window over a day in the archive, against one on the local disk. */
async function asking(objects: ObjectStore, dataDir: string, folder: string): Promise<readonly Comparison[]> {
  const copy = join(folder, 'copy');
  await cp(dataDir, copy, { recursive: true });
  const history = await ArchivedHistory.open({ dataDir: copy, objects });
  const local = await open(dataDir, new LocalStore(dataDir, nodeFiles));
  const archived = await open(copy, history.store);
  await history.archiveAll((path) => archived.sql.describeDay(path));
  const dayOf = ({ ask }: { ask: (daysAgo: number) => Promise<number> }) => {
    let daysAgo = 20;
    return () => {
      daysAgo += 2;
      return ask(daysAgo);
    };
  };
  const [away = [], here = []] = await alternate([dayOf(archived), dayOf(local)], {
    warmups: 3,
    rounds: DAYS,
  });
  const again = await alternate([() => archived.ask(30), () => local.ask(30)], { warmups: 3, rounds: DAYS });
  for (const one of [local, archived]) await one.close();
  return [
    {
      ...told(
        'a day by hour, the first window over it: in the archive, on the disk',
        median(away),
        median(here),
      ),
      ratio: pairedRatio(away, here),
    },
    {
      ...told('the same again: in the cache, on the disk', median(again[0]!), median(again[1]!)),
      ratio: pairedRatio(again[0]!, again[1]!),
      goal: 'at most 1.5',
      reached: pairedRatio(again[0]!, again[1]!) <= 1.5,
    },
  ];
}

async function open(dataDir: string, store: HistoryStore) {
  const registry = new DatasetRegistry();
  const options = { dataDir, timeZone: TIME_ZONE, clock: systemClock, logger: silent };
  const sql = new Sql({ ...options, registry, storedDays: store });
  const recorder = await openRecorder({
    name: TABLE,
    log: true,
    changes: true,
    configured: ['count'],
    timestampColumn: null,
    source: `table ${TABLE}`,
    dataDir,
    health: new PollHealth(30_000, systemClock),
    logger: silent,
    takeover: null,
  });
  const sealer = new Sealer({ ...options, store, days: new LocalDays(TIME_ZONE), parquet: sql.parquet });
  await sealer.restore(recorder.log!);
  for (const dataset of recorder.datasets) registry.add(dataset);
  return {
    sql,
    /** Milliseconds until the last byte. */
    ask: async (daysAgo: number) => {
      const before = performance.now();
      const to = Date.now() - daysAgo * DAY;
      const parameters = Object.entries({ from: String(to - DAY / 2), to: String(to), every: '1h' });
      const query = await sql.queries.window(recorder.log!, parameters);
      for await (const _ of (await query.run(never)).body);
      return performance.now() - before;
    },
    async close() {
      await recorder.close();
      await sql.close();
    },
  };
}

function told(what: string, ours: number, other: number | null): Comparison {
  return {
    what,
    ours: shown(ours),
    other: other === null ? '-' : shown(other),
    ratio: null,
    goal: null,
    reached: null,
  };
}

function shown(value: number): string {
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}
