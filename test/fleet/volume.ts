import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.js';
import { encodeRows } from '../../src/csv/encode.js';
import { PollHealth } from '../../src/datasets/freshness.js';
import type { Relation } from '../../src/datasets/relation.js';
import type { TableRecorder } from '../../src/recorder/table-recorder.js';
import type { Reading } from '../../src/sources/source.js';
import { openTestRecorder } from '../support/test-recorder.js';
import type { Poll } from './simulation.js';

const FREE = { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 };

/** The two tables of counters on a volume of their own, recorded by the service's own recorders. */
export class FleetVolume {
  readonly dataDir: string;
  readonly #clock: Clock;
  #recorders: { flags: TableRecorder; zones: TableRecorder } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.dataDir = mkdtempSync(join(tmpdir(), 'fleet-volume-'));
    mkdirSync(join(this.dataDir, '.dynamo-csv'));
    mkdirSync(join(this.dataDir, 'history'));
  }

  /** Opens what the volume has; when it was open, closes it first, as a restart does. */
  async open(): Promise<{ flags: TableRecorder; zones: TableRecorder }> {
    await this.#closeRecorders();
    this.#recorders = {
      flags: await this.#recorder('flag-dynamodb', true),
      zones: await this.#recorder('pickup-zone-dynamodb', false),
    };
    return this.#recorders;
  }

  /** All datasets of both tables. */
  get relations(): readonly Relation[] {
    if (this.#recorders === null) return [];
    return [...this.#recorders.flags.datasets, ...this.#recorders.zones.datasets];
  }

  /** Records polls, starting the service anew before each of `restarts` (positions among the polls). */
  async record(polls: readonly Poll[], restarts: readonly number[] = []): Promise<void> {
    let from = 0;
    for (const to of [...restarts, polls.length]) {
      const { flags, zones } = await this.open();
      const part = polls.slice(from, to);
      for (const poll of part) {
        await recordPoll(flags, counterReading('counter_type', poll.flags), poll.at);
        await recordPoll(zones, counterReading('zone_id', poll.zones), poll.at);
      }
      from = to;
    }
  }

  async close(): Promise<void> {
    await this.#closeRecorders();
    rmSync(this.dataDir, { recursive: true });
  }

  async #closeRecorders(): Promise<void> {
    await this.#recorders?.flags.close();
    await this.#recorders?.zones.close();
    this.#recorders = null;
  }

  #recorder(name: string, log: boolean): Promise<TableRecorder> {
    return openTestRecorder({
      name,
      dataDir: this.dataDir,
      health: new PollHealth(30_000, this.#clock),
      log,
      changes: true,
      configured: ['count'],
    });
  }
}

async function recordPoll(recorder: TableRecorder, reading: Reading, at: number): Promise<void> {
  const { problems } = await recorder.record(reading, at);
  if (problems[0] !== undefined) throw problems[0];
}

/** What a source reads from a table of counters: in key order. */
function counterReading(key: string, counters: ReadonlyMap<string, number>): Reading {
  const rows = [...counters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, count]) => [id, String(count)]);
  const columns = [
    { name: key, type: 'string' as const, seen: true },
    { name: 'count', type: 'number' as const, seen: true },
  ];
  return { kind: 'full', rows: encodeRows(columns, rows), keys: [key], position: null, cost: FREE };
}
