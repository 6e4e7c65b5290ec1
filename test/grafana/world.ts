import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type App, startApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import type { Incident } from '../../src/demo/incidents.js';
import { startWorld } from '../../src/demo/world.js';
import { configuredSources } from '../../src/sources/index.js';
import { logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { Environment } from './plugins.js';

/** The demo and its service in this process, at a time that the test sets. */
export interface Demo {
  readonly clock: ManualClock;
  readonly dataDir: string;
  /** What Grafana has for its data sources. At the address of a service that was stopped nobody answers. */
  readonly environment: Environment;
  /** Lets so many seconds pass. What was due in that time has been done then. */
  pass(seconds: number): Promise<void>;
  startService(): Promise<void>;
  /** DynamoDB, EC2 and CloudWatch go on. */
  stopService(): Promise<void>;
  /** Ends DynamoDB, EC2 and CloudWatch; the service goes on. */
  stopAws(): Promise<void>;
}

export interface DemoOptions {
  readonly now: string;
  readonly incident?: Incident;
  /** The data folder of another demo at the same time: its past is this one's too. */
  readonly past?: string;
}

export async function startDemo(t: TestContext, { now, incident, past }: DemoOptions): Promise<Demo> {
  const dataDir = join(await temporaryFolder(t), 'data');
  if (past !== undefined) await cp(past, dataDir, { recursive: true });
  const clock = new ManualClock(now);
  const stopping = new AbortController();
  const beating = beat(clock, stopping.signal);
  const config = await loadConfig({ DATA_DIR: dataDir, PORT: '0' }, []);
  const { logger } = logLines('warn');
  const aws = new AbortController();
  const shared = { config, clock, logger };
  const world = await startWorld({ ...shared, wish: incident ?? null, dynamoDb: null, signal: aws.signal });
  let app: App | null = null;
  let url = '';
  /**
   * How many sleep when nothing is under way: the beat, the fleet and its orders, and of the service each source's polls, its
   * own log, the sealing and the signs of life.
   */
  const loops = () =>
    1 + (aws.signal.aborted ? 0 : 2) + (app === null ? 0 : configuredSources(config).length + 3);
  const demo = {
    clock,
    dataDir,
    get environment() {
      return { DYNAMO_CSV_URL: url, DYNAMO_CSV_TOKEN: 'none' };
    },
    async pass(seconds: number) {
      const end = clock.now() + seconds * 1_000;
      while (clock.now() < end) await clock.next();
    },
    async startService() {
      app = await startApp(config, { clock, logger, signal: stopping.signal });
      url = app.url;
      await clock.asleep(loops());
    },
    async stopService() {
      await app?.close();
      app = null;
    },
    async stopAws() {
      if (!aws.signal.aborted) aws.abort(new Error('the demo ends'));
      await world.close();
    },
  };
  t.after(async () => {
    await demo.stopService();
    await demo.stopAws();
    stopping.abort();
    await beating;
  });
  await demo.startService();
  return demo;
}

/** Somebody who wakes every second, so that time passes by whole seconds. */
async function beat(clock: ManualClock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await clock.sleep(1_000 - (clock.now() % 1_000), signal).catch(() => undefined);
}
