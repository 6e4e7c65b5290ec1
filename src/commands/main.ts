import { existsSync } from 'node:fs';
import { version } from '../base/project.js';
import type { Config } from '../config/config.js';
import { ConfigMistakes, EXIT_CONFIGURATION } from '../config/mistakes.js';
import { type Arguments, readCommandLine } from './arguments.js';
import { COMMANDS } from './commands.js';
import { usage } from './usage.js';

/** Used where nothing else is named, if it is in the working directory. */
export const CONFIG_FILE = 'dynamo-csv.yaml';
/** The data folder of tables that are named on the command line. */
const DATA_FOLDER = 'dynamo-csv-data';

/** The command `dynamo-csv`. Resolves to the exit code; to 0 when the service listens, which ends on a signal. */
export async function main(argv: readonly string[]): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === argv[0]);
  if (command !== undefined) return command.run(argv.slice(1));
  try {
    return await start(readCommandLine(argv));
  } catch (error) {
    if (!(error instanceof ConfigMistakes)) throw error;
    for (const line of error.mistakes) console.error(line);
    return error.exitCode;
  }
}

async function start(given: Arguments): Promise<number> {
  if (given.flags.has('help')) return print(usage());
  if (given.flags.has('version')) return print(`${version}\n`);
  const file = fileOf(given);
  if (file === null) {
    print(usage());
    console.error('Nothing to read: name tables, or a configuration file by --config or CONFIG.');
    return EXIT_CONFIGURATION;
  }
  const { configurationFrom } = await import('../config/config.js');
  const config: Config = await configurationFrom({
    env: environmentOf(given),
    file,
    check: given.flags.has('check'),
  });
  const { checkOrServe } = await import('../serve.js');
  return checkOrServe(config);
}

/** What to publish: a file, or the options that the command line stands for; null: nothing. */
function fileOf({ tables, flags, values }: Arguments) {
  const [config] = values.get('config') ?? [];
  if (tables.length > 0) {
    if (config !== undefined)
      throw new ConfigMistakes([
        'command line: there are names of tables and --config; write the tables into the file, or leave one out',
      ]);
    return { options: optionsOf(tables, flags, values), by: 'command line', dataDir: DATA_FOLDER };
  }
  for (const option of ['changes', 'region'] as const)
    if (flags.has(option) || values.has(option))
      throw new ConfigMistakes([
        `command line: --${option} needs names of tables; name them, or set the option in the file`,
      ]);
  return config ?? (process.env.CONFIG || (existsSync(CONFIG_FILE) ? CONFIG_FILE : null));
}

function optionsOf(tables: readonly string[], flags: Arguments['flags'], values: Arguments['values']) {
  const [region] = values.get('region') ?? [];
  const options = {
    ...(flags.has('changes') ? { changes: true } : {}),
    ...(region === undefined ? {} : { region }),
  };
  return { tables: Object.fromEntries(tables.map((table) => [table, options])) };
}

/** The environment, with what the command line says in place of its variables. */
function environmentOf({ values }: Arguments): NodeJS.ProcessEnv {
  const [port] = values.get('port') ?? [];
  const [data] = values.get('data') ?? [];
  return {
    ...process.env,
    ...(port === undefined ? {} : { PORT: port }),
    ...(data === undefined ? {} : { DATA_DIR: data }),
  };
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}
