/** The demo: a simulated fleet, a local DynamoDB with streams, and the service that reads it. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { systemClock } from '../base/clock.js';
import { Closing } from '../base/closing.js';
import { describeError, notListening } from '../base/errors.js';
import { createLogger } from '../base/logger.js';
import { projectRoot } from '../base/project.js';
import { asksForHelp } from '../config/arguments.js';
import { type Config, loadConfig } from '../config/config.js';
import { ConfigMistakes } from '../config/mistakes.js';
import { demoUsage, readDemoArguments } from './arguments.js';
import { serviceEnded, startService } from './service-process.js';
import { welcome } from './welcome.js';
import { startWorld } from './world.js';

/** How the demo was started. */
export interface DemoStart {
  /** The command, for the usage: `npm run demo --`. */
  readonly command: string;
  /** Where its data goes unless `DATA_DIR` says otherwise: a folder of its own, never that of a real service. */
  readonly dataDir: string;
}

/** The fleet as in `config/taxi-fleet.yaml`, and orders. */
const CONFIG = join(projectRoot, 'config', 'demo.yaml');

/** The service takes at most five seconds to stop; the rest stops at once. */
const LONGEST_CLOSING = 8_000;

/** Runs the demo until a signal ends the process. Resolves to the exit code if it ends by itself. */
export async function runDemo(argv: readonly string[], { command, dataDir }: DemoStart): Promise<number> {
  if (asksForHelp(argv)) {
    process.stdout.write(demoUsage(command));
    return 0;
  }
  const stopping = new AbortController();
  const closing = new Closing();
  closeWithGrace({ delay: LONGEST_CLOSING, logger: false }, async ({ err }) => {
    if (err !== undefined) console.error(err);
    stopping.abort(new Error('the demo ends'));
    await closing.close();
  });
  try {
    await run(argv, environmentOf(dataDir), stopping.signal, closing);
  } catch (error) {
    if (!stopping.signal.aborted) {
      for (const line of linesOf(error)) console.error(line);
      // The simulated fleet runs until it is told to stop; closing waits for it.
      stopping.abort(error);
      await closing.close();
      return error instanceof ConfigMistakes ? error.exitCode : 1;
    }
  }
  return 0;
}

/** Overrides this process's environment for the service. */
function environmentOf(dataDir: string) {
  return {
    // Always its own configuration.
    CONFIG,
    DATA_DIR: process.env.DATA_DIR || dataDir,
    // The demo prints what matters; the service logs only problems.
    LOG_LEVEL: process.env.LOG_LEVEL || 'warn',
  };
}

async function run(
  argv: readonly string[],
  environment: ReturnType<typeof environmentOf>,
  signal: AbortSignal,
  closing: Closing,
): Promise<void> {
  const wish = readDemoArguments(argv);
  const config = await loadConfig({ ...process.env, ...environment }, []);
  await checkPort(config);
  console.log('Starting the fleet …');
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
