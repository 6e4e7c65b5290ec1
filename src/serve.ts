/** The process of the service: starts what a configuration describes, and shuts it down on a signal. */

import closeWithGrace from 'close-with-grace';
import { type App, startApp } from './app.js';
import { systemClock } from './base/clock.js';
import { DynamoCsvError, describeError } from './base/errors.js';
import { createLogger, type Logger } from './base/logger.js';
import { version } from './base/project.js';
import type { Config } from './config/config.js';
import { ConfigMistakes, EXIT_CONFIGURATION } from './config/mistakes.js';

/** Milliseconds from the signal to the exit. Work unfinished by then is dropped as in a crash; the next start recovers. */
const LONGEST_CLOSING = 4_500;

export interface ServeOptions {
  /** Called once the service answers. */
  readonly onListening?: (app: App) => Promise<void>;
  /** By default one that writes to standard output. */
  readonly logger?: Logger;
}

/** Loads a configuration, or prints everything that is wrong with it and ends the process with exit code 78. */
export async function configOrExit(load: () => Promise<Config>): Promise<Config> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ConfigMistakes)) throw error;
    for (const line of error.mistakes) console.error(line);
    process.exit(error.exitCode);
  }
}

/** Runs `--check`, or the service. Resolves to the exit code; to 0 when the service listens, which ends on a signal. */
export async function checkOrServe(config: Config, options: ServeOptions = {}): Promise<number> {
  if (!config.check) {
    await serve(config, options);
    return 0;
  }
  // Loaded only here: a running service never needs it.
  const { check } = await import('./check.js');
  const { report, isRight } = await check(config);
  process.stdout.write(report);
  return isRight ? 0 : 1;
}

/** Starts the service. A failed start is logged and ends the process. */
async function serve(config: Config, options: ServeOptions): Promise<void> {
  const { onListening, logger = createLogger({ level: config.logLevel }) } = options;
  const stopping = new AbortController();
  const onFatal = ({ code, line }: DynamoCsvError) => {
    logger.fatal({ code }, line);
    void starting.then(({ close }) => close()).finally(() => process.exit(1));
  };
  const starting: Promise<App> = startApp(config, {
    clock: systemClock,
    logger,
    signal: stopping.signal,
    onFatal,
  });
  closeWithGrace(
    {
      delay: LONGEST_CLOSING,
      logger: false,
      onTimeout: () => {
        logger.warn('shutdown took too long, exiting now; the next start recovers what is unfinished');
        process.exit(0);
      },
      onSecondSignal: (signal) => logger.warn({ signal }, 'second signal, exiting now'),
    },
    async ({ signal, err }) => {
      if (err !== undefined) logger.fatal({ err }, 'unexpected error, shutting down');
      else logger.info({ signal }, 'shutting down');
      stopping.abort(new Error('the service is shutting down'));
      await starting.then(({ close }) => close()).catch(() => undefined);
      if (err === undefined) logger.info('stopped');
    },
  );
  try {
    const app = await starting;
    const { url } = app;
    logger.info({ url, dataDir: config.dataDir, config: config.file, version }, 'listening');
    // A parent process with an IPC channel (the demo) needs the URL.
    process.send?.({ url });
    await onListening?.(app);
  } catch (error) {
    if (stopping.signal.aborted) return;
    const code = error instanceof DynamoCsvError ? error.code : null;
    logger.fatal(code === null ? { err: error } : { code }, describeError(error));
    process.exit(code === 'HISTORY_TIME_ZONE' ? EXIT_CONFIGURATION : 1);
  }
}
