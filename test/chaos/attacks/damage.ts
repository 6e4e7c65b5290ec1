import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Random } from '../../../src/demo/random.js';
import { patientFetch } from '../../support/patient-fetch.js';
import { type Arena, type Attack, NotHere } from '../attack.js';
import {
  type Ground,
  health,
  NEIGHBOUR,
  neighbourIsPolled,
  PATIENCE,
  prepare,
  Watch,
  within,
} from '../ground.js';
import { checkChangesAround, plainItemsOfScan, type Row } from '../truth.js';
import { writePast } from './past.js';

/** Each kind of file of a data folder, damaged in each way while the service is stopped. */

const DAYS = 5;
/** Scans of the damaged folder have higher numbers than those that the golden one has seen. */
const FIRST_SCAN = 10_000;
const CONFIG = `tables:
  ${NEIGHBOUR}
  snap: { changes: true, interval: 200ms }
  logged: { log: true, changes: true, interval: 200ms }
  past: { log: true, keep: 1, interval: 1h }
`;
const DATASETS = ['snap', 'snap-changes', 'logged', 'logged-changes', 'past'];

/** Paths below the data folder; `DAY` is one of the sealed days. */
const FILES = {
  'a snapshot': 'snap.csv',
  'a file of changes': 'snap-changes.csv',
  'a log': 'logged.csv',
  'a file of changes beside a log': 'logged-changes.csv',
  'a sealed day': 'DAY',
  'a state file': '.dynamo-csv/snap.json',
  'the state file of a log': '.dynamo-csv/logged.json',
  'a baseline': '.dynamo-csv/logged.baseline.csv',
  'a file of deleted items': '.dynamo-csv/logged.deleted.csv',
  'an append journal': '.dynamo-csv/logged.csv.append',
  'the lock file': '.dynamo-csv/lock',
} as const;

type Damage = (path: string, random: Random) => Promise<unknown>;

const WAYS: Readonly<Record<string, Damage>> = {
  'cut in half': async (path) => {
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length / 2));
  },
  'with a flipped byte': async (path, random) => {
    const bytes = await readFile(path);
    const digits = [...bytes.keys()].filter((index) => bytes[index]! >= 0x30 && bytes[index]! <= 0x39);
    // A digit that stays one, where there are any: the worst case, since the file still parses.
    const at = digits[random.between(0, digits.length - 1)] ?? Math.floor(bytes.length / 2);
    bytes[at] = bytes[at]! ^ 0x01;
    await writeFile(path, bytes);
  },
  'with a damaged line': async (path) => {
    const bytes = await readFile(path);
    const middle = bytes.indexOf(0x0a, bytes.length / 2) + 1;
    await writeFile(
      path,
      Buffer.concat([bytes.subarray(0, middle), Buffer.from('x,"y\n'), bytes.subarray(middle)]),
    );
  },
  'that is empty': (path) => writeFile(path, ''),
  'full of random bytes': (path, random) =>
    writeFile(path, Buffer.from(Array.from({ length: 2_000 }, () => random.between(0, 255)))),
  'that became a folder': async (path) => {
    await rm(path, { force: true });
    await mkdir(path);
  },
  'that became a link to itself': async (path) => {
    await rm(path, { force: true });
    await symlink(basename(path), path);
  },
  'that became a named pipe': async (path) => {
    await rm(path, { force: true });
    if (spawnSync('mkfifo', [path]).status !== 0) throw new NotHere('needs mkfifo');
  },
  'that is gone': (path) => rm(path, { force: true }),
  'that is JSON of another shape': async (path) => {
    const text = await readFile(path, 'utf8');
    const state = text.startsWith('{') ? (JSON.parse(text) as object) : {};
    const wrong = Object.keys(state).map((name, index) => [name, [null, 7, 'x', [], {}][index % 5]]);
    await writeFile(path, JSON.stringify(Object.fromEntries(wrong)));
  },
};

/** After these no Parquet file can be read. */
const UNREADABLE: ReadonlySet<Damage> = new Set(
  [
    'cut in half',
    'that is empty',
    'full of random bytes',
    'that became a folder',
    'that became a link to itself',
    'that became a named pipe',
  ].map((way) => WAYS[way]!),
);

/** A folder as a service left it, made once a run. */
let golden: Promise<string> | undefined;

async function makeGolden(): Promise<string> {
  const undo: (() => unknown)[] = [];
  const arena = { after: (step: () => unknown) => undo.push(step) } as unknown as Arena;
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-chaos-'));
  const dataDir = join(folder, 'data');
  try {
    const ground = await withTables(arena);
    await writePast(dataDir, DAYS);
    const service = await ground.start({ config: CONFIG, dataDir });
    const url = await service.url;
    await within(PATIENCE, 'the days are sealed, and items were deleted', async () => {
      const { datasets } = (await (await fetch(`${url}/datasets`)).json()) as {
        datasets: { name: string; sealedDays: number }[];
      };
      const changes = await (await fetch(`${url}/csv/logged-changes?change=delete`)).text();
      return (
        datasets.some(({ name, sealedDays }) => name === 'past' && sealedDays >= DAYS) &&
        changes.includes('delete')
      );
    });
    assert.equal((await service.end()).code, 0);
  } finally {
    for (const step of undo.reverse()) await step();
  }
  return dataDir;
}

/** Removes what attacks of this file share. */
export async function removeGolden(): Promise<void> {
  if (golden !== undefined) await rm(dirname(await golden), { recursive: true, force: true });
}

async function withTables(arena: Arena): Promise<Ground> {
  const ground = await prepare(arena);
  for (const name of ['snap', 'logged']) ground.database.table(name, plainItemsOfScan);
  ground.database.table('past', () => [{ id: { N: '1' }, n: { N: '0' } }]);
  return ground;
}

export const damageAttacks: readonly Attack[] = Object.entries(FILES).flatMap(([what, file]) =>
  Object.entries(WAYS).flatMap(([how, damage]): Attack[] => {
    if (how === 'that is JSON of another shape' && !file.endsWith('.json')) return [];
    return [{ name: `${what} ${how}`, group: what, run: (arena) => startOnDamaged(arena, file, damage) }];
  }),
);

async function startOnDamaged(arena: Arena, file: string, damage: Damage) {
  golden ??= makeGolden();
  const ground = await withTables(arena);
  const dataDir = join(ground.folder, 'data');
  await cp(await golden, dataDir, { recursive: true });
  for (const table of ground.tables) table.scans = FIRST_SCAN;
  const path = join(dataDir, file === 'DAY' ? await firstDay(dataDir) : file);
  if (!(await exists(path))) await writeFile(path, '');
  const before = await filesBelow(dataDir);
  await damage(path, arena.random);

  const service = await ground.start({ config: CONFIG, dataDir });
  const url = await service.url;
  const watch = new Watch(url, service.process.pid!);
  await neighbourIsPolled(url, ground.neighbour);
  await Promise.all(DATASETS.map((dataset) => answersInOneLine(url, dataset)));
  await needsNoSealedDay(url, '/csv/past?last=1m');
  await needsNoSealedDay(url, '/csv/past?last=1m&format=parquet');
  if (file === 'DAY') await namesTheMissingDay(url, basename(path, '.parquet'), UNREADABLE.has(damage));
  const seen = await watch.stop();
  const states = (await health(url)).datasets.filter(({ lastError }) => lastError !== null).length;
  assert.deepEqual(await service.end(), { code: 0, signal: null });
  await othersAreKept(dataDir, before, relative(dataDir, path));
  if (/snap\.csv|baseline/.test(file) && damage === WAYS['with a flipped byte']) {
    const changes = join(dataDir, file.includes('snap') ? 'snap-changes.csv' : 'logged-changes.csv');
    checkChangesAround(FIRST_SCAN, parse(await readFile(changes), { columns: true }) as Row[]);
  }
  return { ...seen, 'datasets with an error': states };
}

/** A dataset is served, or says in one line why not. */
async function answersInOneLine(url: string, dataset: string): Promise<void> {
  const response = await patientFetch(`${url}/csv/${dataset}`);
  const text = await response.text();
  if (response.status !== 200) assert.match(text, /^[^\n]+\n?$/, `${dataset}: ${response.status}`);
  assert.doesNotMatch(text, /something went wrong/, dataset);
}

async function needsNoSealedDay(url: string, path: string): Promise<void> {
  const response = await patientFetch(url + path);
  const text = await response.text();
  assert.equal(response.status, 200, `${path}, which needs no sealed day: ${text.slice(0, 200)}`);
}

/** What needs the day names it, and so does `/healthz`. A day that can still be read may be answered. */
async function namesTheMissingDay(url: string, date: string, isUnreadable: boolean): Promise<void> {
  const response = await patientFetch(`${url}/csv/past?from=2000-01-01`);
  const text = await response.text();
  if (response.status === 200 && !isUnreadable) return;
  assert.equal(response.status, 500, 'a window over all days');
  assert.match(text, new RegExp(`^"past" lacks the day ${date} [^\\n]+\\n?$`));
  const { status, datasets } = await health(url);
  const { missingDays } = datasets.find(({ name }) => name === 'past')!;
  assert.deepEqual([status, missingDays], ['degraded', [date]], '/healthz');
}

async function firstDay(dataDir: string): Promise<string> {
  const files = await filesBelow(dataDir);
  return [...files.keys()].filter((name) => name.endsWith('.parquet')).sort()[0]!;
}

/** Contents by path below the folder; the service's own notes aside. */
async function filesBelow(dataDir: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(dataDir, path), await readFile(path));
  }
  return files;
}

/** Data that was not damaged is where it was, with what it had. */
async function othersAreKept(dataDir: string, before: Map<string, Buffer>, damaged: string): Promise<void> {
  const after = await filesBelow(dataDir);
  for (const [path, bytes] of before) {
    if (path === damaged || path.startsWith('.dynamo-csv') || path === 'snap.csv' || path === 'calm.csv')
      continue;
    const now = after.get(path);
    assert.ok(now?.subarray(0, bytes.length).equals(bytes), `${path} was not damaged, and is moved or lost`);
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
