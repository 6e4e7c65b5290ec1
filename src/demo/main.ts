/** `npm run demo`: a simulated fleet, a DynamoDB and a service that watches it, all on this machine. */

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

/** Its own folder, beside that of a real service and never the same. */
const DATA_DIR = 'data/demo';
/** The service takes five seconds at most to end, and then the rest has nothing left to do. */
const LONGEST_CLOSING = 8_000;

if (asksForHelp(process.argv.slice(2))) {
  process.stdout.write(DEMO_USAGE);
  process.exit(0);
}

/** What the service is told beyond this process's own environment. */
const environment = {
  // The fleet's own file, whatever the shell says.
  CONFIG: '',
  DATA_DIR: process.env.DATA_DIR || DATA_DIR,
  // What the demo has to say is on the screen; the service speaks up when something is wrong.
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

/** Says it before the past is written and not after. */
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
