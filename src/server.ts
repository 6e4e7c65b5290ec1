/** The process: reads the configuration, starts the service and shuts it down. `--check` is in `check.ts`, `--help` in `config/arguments.ts`. */

import closeWithGrace from 'close-with-grace';
import { startApp } from './app.js';
import { systemClock } from './base/clock.js';
import { DynamoCsvError, describeError } from './base/errors.js';
import { createLogger, type Logger } from './base/logger.js';
import { version } from './base/project.js';
import { asksForHelp, USAGE } from './config/arguments.js';
import { type Config, loadConfig } from './config/config.js';
import { ConfigMistakes, EXIT_CONFIGURATION } from './config/mistakes.js';

/** Milliseconds from the signal to the exit. Work unfinished by then is dropped as in a crash; the next start recovers. */
const LONGEST_CLOSING = 4_500;

// Before the configuration is read: a mistake in it may be why somebody asks.
if (asksForHelp(process.argv.slice(2))) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const config = await loadConfig().catch((error: unknown) => {
  if (!(error instanceof ConfigMistakes)) throw error;
  for (const line of error.mistakes) console.error(line);
  process.exit(error.exitCode);
});

if (config.check) {
  // Loaded only here: a running service never needs it.
  const { check } = await import('./check.js');
  const { report, isRight } = await check(config);
  process.stdout.write(report);
  process.exitCode = isRight ? 0 : 1;
} else {
  await serve(config, createLogger({ level: config.logLevel }));
}

async function serve(config: Config, logger: Logger): Promise<void> {
  const stopping = new AbortController();
  const starting = startApp(config, { clock: systemClock, logger, signal: stopping.signal });
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
    const { url } = await starting;
    logger.info({ url, dataDir: config.dataDir, config: config.file, version }, 'listening');
    // A parent process with an IPC channel (the demo) needs the URL.
    process.send?.({ url });
  } catch (error) {
    if (stopping.signal.aborted) return;
    const code = error instanceof DynamoCsvError ? error.code : null;
    logger.fatal(code === null ? { err: error } : { code }, describeError(error));
    process.exit(code === 'HISTORY_TIME_ZONE' ? EXIT_CONFIGURATION : 1);
  }
}
