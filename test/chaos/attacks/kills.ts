import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { patientFetch } from '../../support/patient-fetch.js';
import type { RunningService } from '../../support/service.js';
import type { Arena, Attack } from '../attack.js';
import type { HostileTable } from '../endpoint.js';
import { type Ground, NEIGHBOUR, neighbourIsPolled, PATIENCE, prepare, within } from '../ground.js';
import { checkChanges, checkLog, checkSnapshot, itemsOfScan, type Row } from '../truth.js';
import { writePast } from './past.js';

/** A kill comes so many milliseconds after what it waits for, at the latest: in a poll that follows every 100 ms. */
const LATEST_KILL = 300;
/** One kill in four comes before the service listens: while it opens the folder. */
const EARLY_KILLS = 0.25;
const LATEST_EARLY_KILL = 2_000;

const TABLES = ['logged', 'compared', 'both'];
const CONFIG = `tables:
  ${NEIGHBOUR}
  logged: { log: true, interval: 100ms }
  compared: { changes: true, interval: 100ms }
  both: { log: true, changes: true, interval: 100ms }
`;

/** Kills at any moment: while loading, opening, polling, widening a layout. */
const polls: Attack = {
  name: 'kill -9 during polls and layout changes',
  run: async (arena) => {
    const kills = arena.isShort ? 8 : 60;
    const ground = await prepare(arena);
    const tables = TABLES.map((name) => ground.database.table(name, itemsOfScan));
    const dataDir = join(ground.folder, 'data');
    for (let kill = 0; kill < kills; kill++) {
      const service = await ground.start({ config: CONFIG, dataDir });
      await killSometime(service, arena, () => polledAgain(tables[0]!, arena.random.between(0, 5)));
      await checkFiles(dataDir);
    }
    const service = await ground.start({ config: CONFIG, dataDir });
    await neighbourIsPolled(await service.url, ground.neighbour);
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    const seen = await checkFiles(dataDir);
    return {
      kills,
      scans: tables.reduce((sum, { scans }) => sum + scans, 0),
      logged: seen.logged,
      changed: seen.changed,
      'in changes only': seen.changesOnly,
    };
  },
};

/** Kills the service while it opens the folder, or a random time after `moment`. */
async function killSometime(
  service: RunningService,
  arena: Arena,
  moment: () => Promise<unknown>,
): Promise<void> {
  service.url.catch(() => undefined);
  if (arena.random.next() < EARLY_KILLS) await delay(arena.random.between(0, LATEST_EARLY_KILL));
  else {
    await service.url;
    await moment();
    await delay(arena.random.between(0, LATEST_KILL));
  }
  const { code, signal } = await service.end('SIGKILL');
  const said = service.output() + service.errors();
  assert.deepEqual([code, signal], [null, 'SIGKILL'], `the service ended by itself: ${said}`);
}

/** Waits until that many further Scans of the table have begun. */
async function polledAgain(table: HostileTable, times: number): Promise<void> {
  const wanted = table.scans + times;
  await within(PATIENCE, `${times} polls`, async () => table.scans >= wanted);
}

interface FilesSeen {
  /** Polls in the log, and in the changes. */
  readonly logged: number;
  readonly changed: number;
  /** Polls of a killed process that are in the changes and not in the log beside them. */
  readonly changesOnly: number;
}

/**
 * The files as a reader finds them. A kill may leave a torn last line until the next start, which the reader leaves out
 * (docs/volume.md).
 */
async function checkFiles(dataDir: string): Promise<FilesSeen> {
  const logged = checkLog(await wholePolls(dataDir, 'logged'));
  const changed = checkChanges(await wholePolls(dataDir, 'compared-changes')).length;
  const both = await wholePolls(dataDir, 'both');
  checkLog(both);
  const inLog = new Set(both.map(({ scan }) => Number(scan)));
  const changesOnly = checkChanges(await wholePolls(dataDir, 'both-changes')).filter(
    (scan) => !inLog.has(scan),
  ).length;
  const snapshot = await rowsOf(dataDir, 'compared');
  if (snapshot.length > 0) checkSnapshot(snapshot);
  return { logged, changed, changesOnly };
}

/** Without the poll whose append the journal still has: the next start completes or removes it. */
async function wholePolls(dataDir: string, name: string): Promise<Row[]> {
  const rows = await rowsOf(dataDir, name);
  const journal = await read(join(dataDir, '.dynamo-csv', `${name}.csv.append`));
  if (journal === '') return rows;
  const last = rows.at(-1)?.timestamp;
  return rows.filter(({ timestamp }) => timestamp !== last);
}

async function rowsOf(dataDir: string, name: string): Promise<Row[]> {
  const text = await read(join(dataDir, `${name}.csv`));
  return parse(text, { columns: true, relax_column_count: true, relax_quotes: true }) as Row[];
}

const read = (path: string) => readFile(path, 'utf8').catch(() => '');

/** Days of a Python script's log: taken over at the first start, and sealed soon after it. */
const DAYS = 40;

const sealing: Attack = {
  name: 'kill -9 during takeover and sealing',
  run: async (arena) => {
    const kills = arena.isShort ? 6 : 40;
    const ground = await prepare(arena);
    ground.database.table('past', () => [{ id: { N: '1' }, n: { N: '0' } }]);
    const config = `tables:\n  ${NEIGHBOUR}\n  past: { log: true, changes: true, keep: 1, interval: 1h }\n`;
    let lives = 0;
    for (let kill = 0; kill < kills; ) {
      // A folder has been sealed after a few lives: then it begins anew.
      const dataDir = join(ground.folder, `data-${++lives}`);
      const rows = await writePast(dataDir, DAYS);
      for (const last = kill + 3; kill < Math.min(last, kills); kill++) {
        await killSometime(await ground.start({ config, dataDir }), arena, async () => undefined);
      }
      await checkPast(ground, config, dataDir, rows);
    }
    return { kills, folders: lives };
  },
};

/** Every row of the past is there once, in the log and in the changes, wherever its day is by now. */
async function checkPast(ground: Ground, config: string, dataDir: string, past: string[]): Promise<void> {
  const service = await ground.start({ config, dataDir });
  const url = await service.url;
  await neighbourIsPolled(url, ground.neighbour);
  await within(2 * PATIENCE, 'all closed days are sealed', async () => {
    const { datasets } = (await (await fetch(`${url}/datasets`)).json()) as {
      datasets: { name: string; sealedDays: number }[];
    };
    return datasets.every(({ name, sealedDays }) => !/^past(-changes)?$/.test(name) || sealedDays >= DAYS);
  });
  for (const dataset of ['past', 'past-changes']) {
    const response = await patientFetch(`${url}/csv/${dataset}?from=2000-01-01&columns=n,timestamp`);
    const rows = parse(await response.text(), { columns: true }) as Row[];
    const found = rows.map(({ n }) => n).filter((n) => n !== '0');
    assert.deepEqual(found, past, `${dataset} has ${found.length} rows`);
  }
  assert.deepEqual(await service.end(), { code: 0, signal: null });
}

export const killAttacks: readonly Attack[] = [polls, sealing];
