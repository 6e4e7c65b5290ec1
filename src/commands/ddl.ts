import { parseArgs } from 'node:util';
import { closest } from '../base/closest.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Config } from '../config/config.js';
import { ConfigMistakes } from '../config/mistakes.js';
import type { EngineName } from '../engines/ddl.js';
import type { DatasetHistory } from '../engines/engine-table.js';
import type { Command } from './command.js';

export const ddl: Command = {
  name: 'ddl',
  summary:
    'prints the statements by which another engine has the sealed days as tables: athena, trino, spark or duckdb [dataset] [--folder]',
  async run(argv) {
    try {
      const { engine, dataset, isFolder } = await readArguments(argv);
      const { loadConfig } = await import('../config/config.js');
      const config = await loadConfig(process.env, []);
      const { engineTables } = await import('../engines/engine-table.js');
      const statements = await import('../engines/ddl.js');
      const tables = engineTables(await historiesOf(config, isFolder));
      const wanted = tables.filter((table) => dataset === null || table.dataset === dataset);
      if (wanted.length === 0)
        throw nothingSealed(
          config,
          dataset,
          tables.map((table) => table.dataset),
        );
      process.stdout.write(statements.ddl(engine, wanted));
      return 0;
    } catch (error) {
      const lines = error instanceof ConfigMistakes ? error.mistakes : [describeError(error)];
      for (const line of lines) console.error(line);
      return error instanceof ConfigMistakes ? error.exitCode : 1;
    }
  },
};

async function readArguments(argv: readonly string[]) {
  const { ENGINES } = await import('../engines/ddl.js');
  try {
    const { positionals, values } = parseArgs({
      args: [...argv],
      options: { folder: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [given = '', dataset = null, ...more] = positionals;
    const engine = ENGINES.find((name) => name === given.toLowerCase());
    if (engine === undefined) throw new TypeError(`"${given}" is not one of ${ENGINES.join(', ')}`);
    if (more.length > 0)
      throw new TypeError(`${more.join(' ')} is too much: name one dataset, or none for all`);
    return { engine: engine satisfies EngineName, dataset, isFolder: values.folder === true };
  } catch (error) {
    throw new ConfigMistakes([`command line: ${describeError(error)}`]);
  }
}

/** What the archive has, or the data folder if there is no archive. */
async function historiesOf(config: Config, isFolder: boolean): Promise<DatasetHistory[]> {
  const { historiesInArchive, historiesInFolder } = await import('../engines/histories.js');
  if (config.archive === null || isFolder) return historiesInFolder(config.dataDir);
  const { Archive } = await import('../archive/archive.js');
  const { noSuchPoint } = await import('../archive/errors.js');
  const { S3Objects } = await import('../archive/s3-objects.js');
  const objects = new S3Objects(config.archive);
  try {
    const archive = await Archive.find(objects);
    const point = await archive?.latest();
    if (archive === null || point == null) throw noSuchPoint(objects.location, null);
    return await historiesInArchive(archive, point);
  } finally {
    objects.close();
  }
}

function nothingSealed(config: Config, dataset: string | null, datasets: readonly string[]): DynamoCsvError {
  const what = dataset === null ? 'No dataset has' : `"${dataset}" has no`;
  const near = dataset === null ? undefined : closest(dataset, datasets);
  const remedy =
    near === undefined
      ? 'a log, or changes, has them once a day has left its CSV file (docs/engines.md)'
      : `did you mean ${near}?`;
  return new DynamoCsvError('NOTHING_SEALED', `${what} sealed days in ${config.dataDir} or its archive`, {
    remedy,
  });
}
