import { parseArgs } from 'node:util';
import { Archive } from '../archive/archive.js';
import { noSuchPoint } from '../archive/errors.js';
import type { Point } from '../archive/point.js';
import type { RestoreProgress } from '../archive/restore.js';
import { S3Objects } from '../archive/s3-objects.js';
import { describeError } from '../base/errors.js';
import { LocalDays } from '../base/local-days.js';
import { loadConfig } from '../config/config.js';
import { ConfigMistakes } from '../config/mistakes.js';
import { parseInstant } from '../csv/instant.js';

/** What `restore` and `verify` have in common: the archive of the configuration, one point of it, and progress. */
export interface ArchiveCommand {
  readonly archive: Archive;
  readonly point: Point;
  readonly signal: AbortSignal;
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Whose days the history has. */
  readonly localDates: LocalDays;
  onProgress(progress: RestoreProgress): void;
}

/** An option of the command line with a value. */
type Options = Readonly<Record<string, { readonly type: 'string' }>>;

/** Milliseconds between two lines of progress. */
const PROGRESS = 1_000;

/**
 * Runs a command on the archive of the configuration. Resolves to the exit code of `run`, 78 for a mistake on the command
 * line or in the configuration, and 1 for any other error, whose reason is printed.
 */
export async function onArchive(
  argv: readonly string[],
  options: Options,
  required: readonly string[],
  run: (command: ArchiveCommand) => Promise<number>,
): Promise<number> {
  try {
    const values = valuesOf(argv, options, required);
    const { archive: settings, timeZone } = await loadConfig(process.env, []);
    if (settings === null) {
      throw new ConfigMistakes([
        'the configuration has no archive; add one, such as archive: { bucket: my-bucket }',
      ]);
    }
    const objects = new S3Objects(settings);
    try {
      const archive = await Archive.find(objects);
      const at = values.at ?? null;
      const point =
        archive === null || at === null ? await archive?.latest() : await archive.pointAt(instantOf(at));
      if (archive === null || point == null) throw noSuchPoint(objects.location, at);
      console.error(`Point ${point.number} of ${objects.location}, taken at ${point.at}`);
      const signal = new AbortController().signal;
      const localDates = new LocalDays(timeZone);
      return await run({ archive, point, signal, values, localDates, onProgress: printer() });
    } finally {
      objects.close();
    }
  } catch (error) {
    if (error instanceof ConfigMistakes) {
      for (const line of error.mistakes) console.error(line);
      return error.exitCode;
    }
    console.error(describeError(error));
    return 1;
  }
}

function valuesOf(argv: readonly string[], options: Options, required: readonly string[]) {
  let values: Record<string, string | undefined>;
  try {
    values = parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new ConfigMistakes([`command line: ${describeError(error)}`]);
  }
  for (const name of required) {
    if (values[name] === undefined) throw new ConfigMistakes([`command line: --${name} is missing`]);
  }
  if (values.at !== undefined) instantOf(values.at);
  if (values.days !== undefined && !/^\d{1,5}$/.test(values.days)) {
    throw new ConfigMistakes([`command line: --days ${values.days} is not a number of days; write it as 90`]);
  }
  return values;
}

/** A time of the command line in milliseconds since the epoch; without a zone it is UTC, whatever this machine's is. */
function instantOf(at: string): number {
  const instant = parseInstant(at);
  if (instant !== null) return instant;
  throw new ConfigMistakes([
    `command line: --at ${at} is not a time; write it as 2026-11-24T10:00:00Z; without a zone it is UTC`,
  ]);
}

/** Prints progress once a second, and at the end. */
function printer(): (progress: RestoreProgress) => void {
  let next = 0;
  return ({ files, filesOfAll, bytes, bytesOfAll }) => {
    if (Date.now() < next && files < filesOfAll) return;
    next = Date.now() + PROGRESS;
    console.error(`${files} of ${filesOfAll} files, ${megabytes(bytes)} of ${megabytes(bytesOfAll)} MB`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
