import { parseArgs } from 'node:util';
import { closest } from '../base/closest.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { ConfigMistakes } from '../config/mistakes.js';
import type { EngineName } from '../engines/ddl.js';
import type { DatasetHistory } from '../engines/engine-table.js';
import type { Histories } from '../engines/histories.js';
import type { Command } from './command.js';

export const ddl: Command = {
  name: 'ddl',
  summary:
    'prints the statements by which another engine has the sealed days as tables: athena, trino, spark or duckdb, a dataset or none for all, --location PLACE for a copy of the history, --folder for the data folder',
  async run(argv) {
    try {
      const { engine, dataset, isFolder, location } = await readArguments(argv);
      const { loadConfig } = await import('../config/config.js');
      const config = await loadConfig(process.env, []);
      const { engineTables } = await import('../engines/engine-table.js');
      const statements = await import('../engines/ddl.js');
      const { histories, leftOut, place } = await historiesOf(config, isFolder);
      const tables = engineTables(placed(histories, location));
      const isWanted = (name: string) => dataset === null || name === dataset;
      const wanted = tables.filter((table) => isWanted(table.dataset));
      const missing = await sentencesFor(leftOut.filter(isWanted));
      if (wanted.length === 0) {
        const datasets = tables.map((table) => table.dataset);
        if (missing.length === 0) throw nothingSealed(place, dataset, datasets);
        for (const line of missing) console.error(line);
        return 1;
      }
      requirePlace(engine, wanted[0]!.location);
      process.stdout.write(missing.map((line) => `-- ${line}\n`).join(''));
      process.stdout.write(statements.ddl(engine, wanted));
      // A file or a pipe has it as a comment, which nobody sees now.
      if (process.stdout.isTTY !== true) for (const line of missing) console.error(line);
      return 0;
    } catch (error) {
      const lines = error instanceof ConfigMistakes ? error.mistakes : [describeError(error)];
      for (const line of lines) console.error(line);
      return error instanceof ConfigMistakes ? error.exitCode : 1;
    }
  },
};

const PLACES =
  'add an archive to the configuration, or say where a copy of the folder history is, such as --location s3://my-bucket/history';

/** Rejects a place that the engine cannot read. */
function requirePlace(engine: EngineName, location: string): void {
  if (engine === 'athena' && !location.startsWith('s3://'))
    throw new ConfigMistakes([`command line: Athena reads S3 only; ${PLACES}`]);
  // https://trino.io/docs/current/object-storage.html
  if (engine === 'trino' && !/^[a-z0-9]+:\/\//.test(location))
    throw new ConfigMistakes([
      `command line: Trino reads places that begin with a scheme, not ${location}; ${PLACES}`,
    ]);
}

interface Arguments {
  readonly engine: EngineName;
  /** Null: all. */
  readonly dataset: string | null;
  /** Whether the data folder is meant although there is an archive. */
  readonly isFolder: boolean;
  /** Where a copy of the folder `history` is; null: there is none. */
  readonly location: string | null;
}

async function readArguments(argv: readonly string[]): Promise<Arguments> {
  const { ENGINES } = await import('../engines/ddl.js');
  try {
    const { positionals, values } = parseArgs({
      args: [...argv],
      options: { folder: { type: 'boolean' }, location: { type: 'string' } },
      allowPositionals: true,
    });
    const [given = '', dataset = null, ...more] = positionals;
    const engine = ENGINES.find((name) => name === given.toLowerCase());
    if (engine === undefined) throw new TypeError(`"${given}" is not one of ${ENGINES.join(', ')}`);
    if (more.length > 0)
      throw new TypeError(`${more.join(' ')} is too much: name one dataset, or none for all`);
    if (values.location === '')
      throw new TypeError(`--location is empty; name a place such as s3://my-bucket/history`);
    return { engine, dataset, isFolder: values.folder === true, location: values.location ?? null };
  } catch (error) {
    throw new ConfigMistakes([`command line: ${describeError(error)}`]);
  }
}

/** The same days at another place. */
function placed(histories: readonly DatasetHistory[], location: string | null): readonly DatasetHistory[] {
  if (location === null) return histories;
  const place = location.replace(/\/+$/, '');
  return histories.map((history) => ({ ...history, location: `${place}/${history.dataset}` }));
}

interface Found extends Histories {
  /** Where they were looked for: `the archive s3://my-bucket/fleet/`. */
  readonly place: string;
}

/** What the archive has, or the data folder if there is no archive. */
async function historiesOf({ archive: settings, dataDir }: Config, isFolder: boolean): Promise<Found> {
  const { historiesInArchive, historiesInFolder } = await import('../engines/histories.js');
  if (settings === null || isFolder)
    return { ...(await historiesInFolder(dataDir)), place: `the data folder ${dataDir}` };
  const { Archive } = await import('../archive/archive.js');
  const { S3Objects } = await import('../archive/s3-objects.js');
  const objects = new S3Objects(settings);
  const place = `the archive ${objects.location}`;
  try {
    const archive = await Archive.find(objects);
    const point = await archive?.latest();
    if (archive === null || point == null) throw nothingArchived(place);
    return { ...(await historiesInArchive(archive, point)), place };
  } finally {
    objects.close();
  }
}

async function sentencesFor(datasets: readonly string[]): Promise<readonly string[]> {
  const { leftOutSentence } = await import('../engines/histories.js');
  return datasets.map(leftOutSentence);
}

function nothingArchived(place: string): DynamoCsvError {
  return new DynamoCsvError('NOTHING_ARCHIVED', `${place.replace('the', 'The')} has nothing yet`, {
    remedy:
      'let the service archive first, check archive.bucket and archive.prefix, or use --folder for the data folder',
  });
}

function nothingSealed(place: string, dataset: string | null, datasets: readonly string[]): DynamoCsvError {
  const what = dataset === null ? 'No dataset has' : `${JSON.stringify(dataset)} has no`;
  const near = dataset === null ? undefined : closest(dataset, datasets);
  const there = datasets.length === 0 ? '' : `; there are ${datasets.join(', ')}`;
  const remedy =
    near === undefined
      ? `a log, or changes, has them once a day has left its CSV file (docs/engines.md)${there}`
      : `did you mean ${near}?`;
  return new DynamoCsvError('NOTHING_SEALED', `${what} sealed days in ${place}`, { remedy });
}
