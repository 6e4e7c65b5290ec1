import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeFlags } from '../../src/base/project.js';
import { type RunningService, type ServiceOptions, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { Arena } from './attack.js';
import { type HostileDynamoDb, type HostileTable, startHostileDynamoDb } from './endpoint.js';

/** What every attack stands on: a DynamoDB, a neighbour that must not notice anything, and the service. */

/**
 * A generous bound for an answer of `/healthz` on a busy machine, in milliseconds: counted in turns of this process, so that
 * one for which the machine stood still is not the service's.
 */
const HEALTHZ_BOUND = 3_000;
const TURN = 50;
/** How long a poll of a healthy table may take to come on a busy machine, in milliseconds; intervals are 100 and 200 ms. */
export const PATIENCE = 60_000;
/** Resident memory that no attack may need, in bytes. */
const MEMORY_BOUND = 1.2e9;

/** The neighbour's line of the configuration. */
export const NEIGHBOUR = 'calm: { interval: 200ms }';

export interface Ground {
  readonly database: HostileDynamoDb;
  readonly neighbour: HostileTable;
  /** All tables, the neighbour too. */
  readonly tables: readonly HostileTable[];
  readonly folder: string;
  /** Starts the service as `npm start` does. */
  start(
    options: Pick<ServiceOptions, 'config' | 'dataDir' | 'program' | 'args' | 'env'>,
  ): Promise<RunningService>;
}

/** `arena.after` is all that the helpers of the tests need of a test. */
const asTest = (arena: Arena) => ({ after: (undo: () => unknown) => arena.after(undo) }) as TestContext;

export async function prepare(arena: Arena): Promise<Ground> {
  const database = await startHostileDynamoDb();
  arena.after(() => database.close());
  const neighbour = database.table('calm', (scan) => [{ id: { N: '1' }, scan: { N: String(scan) } }]);
  return {
    database,
    neighbour,
    tables: database.tables,
    folder: await temporaryFolder(asTest(arena)),
    start: (options) =>
      startService(asTest(arena), {
        ...options,
        nodeFlags,
        env: {
          LOG_LEVEL: 'info',
          AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
          AWS_MAX_ATTEMPTS: '2',
          ...options.env,
        },
      }),
  };
}

export interface Health {
  readonly status: string;
  readonly datasets: readonly {
    readonly name: string;
    readonly persisted: boolean;
    /** Local dates. */
    readonly missingDays: readonly string[];
    readonly lastError: { readonly code: string; readonly message: string } | null;
  }[];
}

/** Asks `/healthz` again and again, and keeps the longest time that an answer took. */
export class Watch {
  longest = 0;
  mostMemory = 0;
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;

  constructor(
    readonly url: string,
    readonly pid: number,
  ) {
    this.#watching = this.#watch();
    this.#watching.catch(() => undefined);
  }

  /** Stops watching. Rejects when an answer was missing, late or wrong, or memory went beyond the bound. */
  async stop(): Promise<{ healthz: string; memory: string }> {
    this.#stopping.abort();
    await this.#watching;
    assert.ok(this.mostMemory < MEMORY_BOUND, `the service took ${Math.round(this.mostMemory / 1e6)} MB`);
    return { healthz: `${Math.round(this.longest)} ms`, memory: `${Math.round(this.mostMemory / 1e6)} MB` };
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const before = performance.now();
      await health(this.url);
      this.longest = Math.max(this.longest, performance.now() - before);
      this.mostMemory = Math.max(this.mostMemory, await residentMemory(this.pid));
      await delay(50);
    }
  }
}

/** Bytes; 0 where the system has no `/proc`. */
async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

export async function health(url: string): Promise<Health> {
  const late = new AbortController();
  const answer = fetch(`${url}/healthz`, { signal: late.signal }).then(async (response) => {
    assert.equal(response.status, 200, '/healthz');
    return (await response.json()) as Health;
  });
  const answered = answer.then(
    () => true,
    () => true,
  );
  for (let passed = 0; passed < HEALTHZ_BOUND; passed += TURN)
    if (await Promise.race([answered, delay(TURN, false)])) return answer;
  late.abort(new Error(`/healthz has not answered within ${HEALTHZ_BOUND / 1_000} s`));
  return answer;
}

/** A dataset's last error. */
export async function errorOf(url: string, dataset: string): Promise<string | null> {
  const { datasets } = await health(url);
  return datasets.find(({ name }) => name === dataset)?.lastError?.message ?? null;
}

/** Waits until the neighbour shows a poll that began after this call. */
export async function neighbourIsPolled(url: string, neighbour: HostileTable): Promise<void> {
  const wanted = neighbour.scans + 1;
  await within(PATIENCE, `the neighbour shows poll ${wanted}`, async () => {
    const response = await fetch(`${url}/csv/calm`);
    if (response.status !== 200) return false;
    return Number((await response.text()).split('\n')[1]?.split(',')[1]) >= wanted;
  });
}

/** Asks every 50 ms until it is so; rejects after `bound` milliseconds. Returns how long it took. */
export async function within(bound: number, what: string, isSo: () => Promise<boolean>): Promise<number> {
  const before = performance.now();
  for (;;) {
    if (await isSo()) return performance.now() - before;
    assert.ok(performance.now() - before < bound, `${what}: not within ${bound / 1_000} s`);
    await delay(50);
  }
}
