import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Value } from 'typebox/value';
import { type ArchiveSettings, archiveSettings } from '../archive/options.js';
import { projectRoot } from '../base/project.js';
import { type AthenaSettings, athenaSettings } from '../engines/options.js';
import { check } from '../options/check.js';
import { formatPath, type Mistake, MistakeReport } from '../options/mistakes.js';
import { defaultOf } from '../options/schema.js';
import {
  checkSourceAgreement,
  configuredSources,
  type SourceSettings,
  sourceSettings,
} from '../sources/index.js';
import { readArguments } from './arguments.js';
import {
  type Environment,
  EnvironmentSchema,
  type LogLevel,
  type Role,
  readEnvironment,
} from './environment.js';
import { ConfigMistakes } from './mistakes.js';
import { checkPublishedNames } from './published-names.js';
import { type ConfigurationFile, ConfigurationSchema } from './schema.js';
import { canonicalTimeZone } from './time-zone.js';
import { displayPath, readYamlFile, type YamlFile } from './yaml-file.js';

/**
 * The configuration: file, environment and command line together, checked, with every default applied. The settings of
 * the sources stand under the options of their kinds, `tables` in the file's order.
 */
export interface Config extends SourceSettings {
  /** The configuration file as shown to people. */
  readonly file: string;
  /** `--check`: say what is wrong and what polling costs, then end. */
  readonly check: boolean;
  /** Absolute. */
  readonly dataDir: string;
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
  /** Whether this service collects or follows; `auto`: it follows while another one collects. */
  readonly role: Role;
  readonly port: number;
  readonly host: string;
  readonly logLevel: LogLevel;
  readonly apiToken: string | null;
  /** Host names under which the service may be reached without a token, in lower case. */
  readonly allowedHosts: readonly string[];
  readonly corsOrigin: readonly string[];
  readonly allowSql: boolean;
  /** The address of Grafana; null: the page has no link to it. */
  readonly grafanaUrl: string | null;
  /** Absolute: where dashboards of tables are written for Grafana; null: nowhere. */
  readonly dashboardsDir: string | null;
  /** The plugin with which these dashboards ask: `csv` or `infinity`. */
  readonly grafanaDatasource: string;
  /** Where the data folder is kept a second time; null: nowhere. */
  readonly archive: ArchiveSettings | null;
  /** Where views with `-- engine: athena` run; null: nowhere. */
  readonly athena: AthenaSettings | null;
  /** Absolute; the folder need not exist. */
  readonly viewsDir: string;
  readonly lookupsDir: string;
}

/** Reads the configuration of `npm start`. Rejects as `configurationFrom` does. */
export async function loadConfig(
  env: Readonly<NodeJS.ProcessEnv> = process.env,
  args: readonly string[] = process.argv.slice(2),
): Promise<Config> {
  const lines: string[] = [];
  const { check } = readArguments(args, lines);
  return configurationFrom({ env, file: null, check, mistakes: lines });
}

/** What a configuration is made of. */
export interface Given {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The file, relative to the working directory, or the options that one would have; null: as `CONFIG` says. */
  readonly file: string | GivenOptions | null;
  /** `--check`. */
  readonly check: boolean;
  /** What is wrong with the command line so far, one line each. */
  readonly mistakes?: readonly string[];
}

/** Options that were given without a file. */
export interface GivenOptions {
  readonly options: object;
  /** Where they were given, for mistakes: `command line`. */
  readonly by: string;
  /** The data folder unless `DATA_DIR` says otherwise, relative to the working directory. Views and lookups are in it. */
  readonly dataDir: string;
}

/**
 * Puts file, environment and command line together. Rejects with `ConfigMistakes` that name every mistake at once;
 * nothing is written anywhere.
 */
export async function configurationFrom({ env, file: given, check, mistakes = [] }: Given): Promise<Config> {
  const lines = [...mistakes];
  const environment = readEnvironment(env, lines);
  const { yaml, name, folder } = await readGiven(given, environment);
  const { file, mistakes: wrong } = await checkFile(yaml, folder);
  lines.unshift(...yaml.problems.map((problem) => `${name}: ${problem}`), ...inWords(name, yaml, wrong));
  if (lines.length > 0) throw new ConfigMistakes(lines);

  const beside = (path: string) => resolve(folder, path);
  return {
    file: name,
    check,
    dataDir: dataDir(environment, file, given, beside),
    timeZone: canonicalTimeZone(file.timeZone ?? 'UTC') ?? 'UTC',
    role: environment.ROLE,
    port: environment.PORT,
    host: environment.HOST,
    logLevel: environment.LOG_LEVEL,
    apiToken: environment.API_TOKEN,
    allowedHosts: environment.ALLOWED_HOSTS,
    corsOrigin: environment.CORS_ORIGIN,
    allowSql: environment.ALLOW_SQL,
    grafanaUrl: environment.GRAFANA_URL,
    dashboardsDir: environment.GRAFANA_DASHBOARDS === null ? null : resolve(environment.GRAFANA_DASHBOARDS),
    grafanaDatasource: environment.GRAFANA_DATASOURCE,
    ...sourceSettings(file),
    archive: archiveSettings(file.archive),
    athena: athenaSettings(file.athena, file.archive?.region ?? null),
    viewsDir: beside(file.views ?? 'views'),
    lookupsDir: beside(file.lookups ?? 'lookups'),
  };
}

interface ReadFile {
  readonly yaml: YamlFile;
  /** As shown to people. */
  readonly name: string;
  /** What its paths are relative to; absolute. */
  readonly folder: string;
}

async function readGiven(given: Given['file'], environment: Environment): Promise<ReadFile> {
  if (given !== null && typeof given !== 'string') {
    const folder = resolve(environment.DATA_DIR ?? given.dataDir);
    return { yaml: asYaml(given.options), name: given.by, folder };
  }
  const path = given ?? environment.CONFIG;
  const file =
    path === undefined ? join(projectRoot, defaultOf(EnvironmentSchema.properties.CONFIG)) : resolve(path);
  return { yaml: await readYamlFile(file), name: displayPath(file), folder: dirname(file) };
}

/** Options as a file without lines. */
function asYaml(value: object): YamlFile {
  return { value, lineOf: () => null, written: () => null, problems: [], usable: true };
}

function dataDir(
  environment: Environment,
  file: ConfigurationFile,
  given: Given['file'],
  beside: (folder: string) => string,
): string {
  if (environment.DATA_DIR !== undefined) return resolve(environment.DATA_DIR);
  if (given !== null && typeof given !== 'string') return resolve(given.dataDir);
  return file.data === undefined ? resolve('data') : beside(file.data);
}

/** What of the file is right, and everything that is not. */
async function checkFile(
  yaml: YamlFile,
  folder: string,
): Promise<{ readonly file: ConfigurationFile; readonly mistakes: readonly Mistake[] }> {
  if (!yaml.usable) return { file: {}, mistakes: [] };
  const mistakes: Mistake[] = [];
  const file = check(ConfigurationSchema, yaml.value, mistakes, yaml.written) ?? {};
  // What `check` returns fits the schema by construction; should the two ever disagree, that is our mistake, not the user's.
  if (!Value.Check(ConfigurationSchema, file)) throw new TypeError('check() let a wrong configuration pass');
  checkSources(file, new MistakeReport(mistakes));
  if (file.athena?.catalog === 'glue' && file.archive === undefined) {
    mistakes.push({
      path: ['athena', 'catalog'],
      wrong: 'there is no archive whose tables Glue could have',
      remedy: 'add one, such as archive: { bucket: my-bucket }, or remove this line',
    });
  }
  for (const option of ['views', 'lookups'] as const) {
    const given = file[option];
    if (given === undefined || (await isFolder(resolve(folder, given)))) continue;
    mistakes.push({
      path: [option],
      wrong: `${JSON.stringify(given)} is not a folder (looked for ${displayPath(resolve(folder, given))})`,
      remedy: 'create it or name another, relative to this file',
    });
  }
  return { file, mistakes };
}

function checkSources(file: ConfigurationFile, report: MistakeReport): void {
  checkSourceAgreement(file, report);
  const settings = sourceSettings(file);
  const sources = configuredSources(settings);
  if (sources.length === 0 && settings.discover === null && report.isEmpty) {
    report.add({
      path: ['tables'],
      wrong: 'no table is named',
      remedy: 'name one, such as tables: { my-table: {} }',
    });
  }
  checkPublishedNames(
    sources.flatMap(({ published }) => published),
    report,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Each mistake as one line, in the order of the file. */
function inWords(name: string, yaml: YamlFile, mistakes: readonly Mistake[]): string[] {
  return mistakes
    .map((mistake) => ({ mistake, line: yaml.lineOf(mistake.path) }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ mistake: { path, wrong, remedy }, line }) => {
      const where = path.length === 0 ? '' : `${formatPath(path)}: `;
      return `${name}: ${where}${wrong}; ${remedy}${line === null ? '' : ` (line ${line})`}`;
    });
}
