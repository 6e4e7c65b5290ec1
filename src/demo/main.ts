/** `npm run demo`: a simulated fleet, a local DynamoDB, and the service that polls it. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import closeWithGrace from 'close-with-grace';
import { systemClock } from '../base/clock.js';
import { Closing } from '../base/closing.js';
import { describeError, notListening } from '../base/errors.js';
import { createLogger } from '../base/logger.js';
import { asksForHelp } from '../config/arguments.js';
import { type Config, loadConfig } from '../config/config.js';
import { ConfigMistakes } from '../config/mistakes.js';
import { DEMO_USAGE, readDemoArguments } from './arguments.js';
import { serviceEnded, startService } from './service-process.js';
import { welcome } from './welcome.js';
import { startWorld } from './world.js';

/** A folder of its own, never that of a real service. */
const DATA_DIR = 'data/demo';
/** The service takes at most five seconds to stop; the rest stops at once. */
const LONGEST_CLOSING = 8_000;

if (asksForHelp(process.argv.slice(2))) {
  process.stdout.write(DEMO_USAGE);
  process.exit(0);
}

/** Overrides this process's environment for the service. */
const environment = {
  // Always the fleet's own configuration.
  CONFIG: '',
  DATA_DIR: process.env.DATA_DIR || DATA_DIR,
  // The demo prints what matters; the service logs only problems.
  LOG_LEVEL: process.env.LOG_LEVEL || 'warn',
};

const stopping = new AbortController();
const closing = new Closing();

closeWithGrace({ delay: LONGEST_CLOSING, logger: false }, async ({ err }) => {
  if (err !== undefined) console.error(err);
  stopping.abort(new Error('the demo ends'));
  await closing.close();
});

try {
  await run();
} catch (error) {
  if (!stopping.signal.aborted) {
    for (const line of linesOf(error)) console.error(line);
    // The simulated fleet runs until it is told to stop; closing waits for it.
    stopping.abort(error);
    await closing.close();
    process.exit(error instanceof ConfigMistakes ? error.exitCode : 1);
  }
}

async function run(): Promise<void> {
  const wish = readDemoArguments(process.argv.slice(2));
  const config = await loadConfig({ ...process.env, ...environment }, []);
  await checkPort(config);
  console.log('Starting the fleet …');
  const { signal } = stopping;
  const world = await startWorld({
    config,
    wish,
    dynamoDb: process.env.AWS_ENDPOINT_URL_DYNAMODB || null,
    clock: systemClock,
    logger: createLogger({ level: config.logLevel }),
    signal,
  });
  closing.add(() => world.close());
  const service = startService(environment, systemClock);
  closing.add(() => service.stop());
  const url = await service.ready(signal);
  console.log(await welcome({ ...config, url, clock: systemClock, signal }));
  const ended = await service.ended;
  if (!signal.aborted) throw serviceEnded(ended);
}

/** Fails before the history is written rather than after. */
async function checkPort({ host, port }: Config): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw notListening(host, port, error);
  }
  server.close();
  await once(server, 'close');
}

function linesOf(error: unknown): readonly string[] {
  return error instanceof ConfigMistakes ? error.mistakes : [describeError(error)];
}
