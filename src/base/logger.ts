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
  /** Which of the process's outputs lines are written to, formatted for people if it is a terminal; by default `stdout`. */
  readonly output?: 'stdout' | 'stderr';
  /** Where lines are written instead. */
  readonly destination?: DestinationStream;
}

/**
 * The service log: JSON lines with `level` as a word and `time` in ISO 8601, or the same formatted for a terminal. Writes
 * are synchronous, so that a line logged before a crash is not lost.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level, output = 'stdout', destination = outputOf(output) } = options;
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

function outputOf(output: 'stdout' | 'stderr'): DestinationStream {
  const destination = output === 'stdout' ? 1 : 2;
  if (!process[output].isTTY) return pino.destination({ dest: destination, sync: true });
  // Loaded only here: in a container it is never needed.
  const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty').PinoPretty;
  return pretty({ translateTime: 'SYS:HH:MM:ss', singleLine: true, sync: true, destination });
}
