import { existsSync } from 'node:fs';
import { describeError } from '../base/errors.js';
import { version } from '../base/project.js';
import type { Config, GivenOptions } from '../config/config.js';
import { ConfigMistakes, EXIT_CONFIGURATION } from '../config/mistakes.js';
import { type Arguments, readCommandLine } from './arguments.js';
import { COMMANDS, runCommand } from './commands.js';
import { usage } from './usage.js';

/** Used where nothing else is named, if it is in the working directory. */
const CONFIG_FILE = 'dynamo-csv.yaml';
/** The data folder of tables that are named on the command line. */
const DATA_FOLDER = 'dynamo-csv-data';

/** The command `dynamo-csv`. Resolves to the exit code; to 0 when the service listens, which ends on a signal. */
export async function main(argv: readonly string[]): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === argv[0]);
  if (command !== undefined) return runCommand(command, argv.slice(1));
  try {
    const commands = COMMANDS.map(({ name }) => name);
    return await start(readCommandLine(argv, commands));
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
  if (given.flags.has('init') && (file === null || typeof file === 'string'))
    throw mistake('--init needs --all or names of tables; add them');
  if (file === null) {
    print(usage());
    console.error(
      'Nothing to read: name tables, use --all, or name a configuration file by --config or CONFIG.',
    );
    return EXIT_CONFIGURATION;
  }
  const { configurationFrom } = await import('../config/config.js');
  const config: Config = await configurationFrom({
    env: { ...(typeof file === 'string' ? {} : { LOG_LEVEL: 'warn' }), ...environmentOf(given) },
    file,
    check: given.flags.has('check'),
  });
  if (given.flags.has('init')) return writeFile(config, given);
  const { checkOrServe } = await import('../serve.js');
  if (typeof file === 'string') return checkOrServe(config);
  const { createLogger } = await import('../base/logger.js');
  return checkOrServe(config, {
    // Standard output is for people here.
    logger: createLogger({ level: config.logLevel, output: 'stderr' }),
    onListening: async (app) => {
      const { foundReport } = await import('./found-report.js');
      print(await foundReport(app));
      const { reading } = app;
      if (reading.problem() === null || reading.sources().length > 0) return;
      await app.close();
      process.exit(1);
    },
  });
}

/** What to publish: a file, or the options that the command line stands for; null: nothing. */
function fileOf(given: Arguments): string | GivenOptions | null {
  const { tables, flags, values } = given;
  const [config] = values.get('config') ?? [];
  if (tables.length > 0 || flags.has('all')) {
    if (config !== undefined && !flags.has('init'))
      throw mistake('--config and tables were given; write the tables into the file, or leave one out');
    return { options: optionsOf(given), by: 'command line', dataDir: DATA_FOLDER };
  }
  for (const option of FOR_TABLES) {
    if (!flags.has(option) && !values.has(option)) continue;
    throw mistake(`--${option} needs --all or names of tables; add them, or set the option in the file`);
  }
  return config ?? (process.env.CONFIG || (existsSync(CONFIG_FILE) ? CONFIG_FILE : null));
}

async function writeFile(config: Config, { values }: Arguments): Promise<number> {
  const { init } = await import('./init.js');
  const [file = CONFIG_FILE] = values.get('config') ?? [];
  const [dataDir = DATA_FOLDER] = values.get('data') ?? [];
  try {
    return print(await init(config, file, dataDir));
  } catch (error) {
    console.error(describeError(error));
    return 1;
  }
}

/** Options that say how tables of the command line are read. */
const FOR_TABLES = ['exclude', 'budget', 'changes', 'region'] as const;

function mistake(sentence: string): ConfigMistakes {
  return new ConfigMistakes([`command line: ${sentence}`]);
}

/** The options of a configuration file that the command line stands for. */
function optionsOf({ tables, flags, values }: Arguments) {
  const [region] = values.get('region') ?? [];
  const [budget] = values.get('budget') ?? [];
  const options = {
    ...(flags.has('changes') ? { changes: true } : {}),
    ...(region === undefined ? {} : { region }),
  };
  const names = tables.filter((table) => !table.includes('*'));
  const patterns = flags.has('all') ? ['*'] : tables.filter((table) => table.includes('*'));
  const discover = {
    include: patterns,
    ...(values.has('exclude') ? { exclude: values.get('exclude') } : {}),
    ...(region === undefined ? {} : { region }),
    ...(flags.has('changes') ? { options: { '*': { changes: true } } } : {}),
  };
  if (patterns.length === 0 && values.has('exclude'))
    throw mistake('--exclude needs --all or a pattern; without them only the tables that you name are read');
  return {
    ...(names.length === 0 ? {} : { tables: Object.fromEntries(names.map((table) => [table, options])) }),
    ...(patterns.length === 0 ? {} : { discover }),
    ...(budget === undefined ? {} : { budget: amount(budget) }),
  };
}

/** A number, or the text as it is, for the configuration to report. */
function amount(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
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
