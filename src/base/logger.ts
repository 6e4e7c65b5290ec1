import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * Paths in a logged object that could hold a secret. Their values are never written. Only whole paths, and few: every line
 * pays for each one, and wildcards raised the cost of a line from 1 µs to 26.
 */
const SECRETS = [
  'authorization',
  'headers.authorization',
  'req.headers.authorization',
  'token',
  'apiToken',
  'config.apiToken',
  'API_TOKEN',
  'env.API_TOKEN',
  'credentials',
  'secretAccessKey',
  'sessionToken',
];

export interface LoggerOptions {
  /** `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`. */
  readonly level: string;
  /** Where lines are written: by default standard output, formatted for people if it is a terminal. */
  readonly destination?: DestinationStream;
}

/**
 * The service log: JSON lines with `level` as a word and `time` in ISO 8601, or the same formatted for a terminal. Writes
 * are synchronous, so that a line logged before a crash is not lost.
 */
export function createLogger({ level, destination = standardOutput() }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRETS,
        censor: '[not logged]',
      },
    },
    destination,
  );
}

function standardOutput(): DestinationStream {
  if (!process.stdout.isTTY) return pino.destination({ dest: 1, sync: true });
  // Loaded only here: in a container it is never needed.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty').PinoPretty;
  return pretty({ translateTime: 'SYS:HH:MM:ss', singleLine: true, sync: true });
}
