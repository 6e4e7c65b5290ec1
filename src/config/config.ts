import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Value } from 'typebox/value';
import { projectRoot } from '../base/project.js';
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
import { type Environment, EnvironmentSchema, type LogLevel, readEnvironment } from './environment.js';
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
  /** Absolute; the folder need not exist. */
  readonly viewsDir: string;
  readonly lookupsDir: string;
}

/** Reads the configuration. Rejects with `ConfigMistakes` that name every mistake at once; nothing is written anywhere. */
export async function loadConfig(
  env: Readonly<NodeJS.ProcessEnv> = process.env,
  args: readonly string[] = process.argv.slice(2),
): Promise<Config> {
  const lines: string[] = [];
  const { check: checkOnly } = readArguments(args, lines);
  const environment = readEnvironment(env, lines);
  const path =
    environment.CONFIG === undefined
      ? join(projectRoot, defaultOf(EnvironmentSchema.properties.CONFIG))
      : resolve(environment.CONFIG);
  const yaml = await readYamlFile(path);
  const { file, mistakes } = await checkFile(yaml, dirname(path));
  const name = displayPath(path);
  lines.unshift(...yaml.problems.map((problem) => `${name}: ${problem}`), ...inWords(name, yaml, mistakes));
  if (lines.length > 0) throw new ConfigMistakes(lines);

  const beside = (folder: string) => resolve(dirname(path), folder);
  return {
    file: name,
    check: checkOnly,
    dataDir: dataDir(environment, file, beside),
    timeZone: canonicalTimeZone(file.timeZone ?? 'UTC') ?? 'UTC',
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
    viewsDir: beside(file.views ?? 'views'),
    lookupsDir: beside(file.lookups ?? 'lookups'),
  };
}

function dataDir(
  environment: Environment,
  file: ConfigurationFile,
  beside: (folder: string) => string,
): string {
  if (environment.DATA_DIR !== undefined) return resolve(environment.DATA_DIR);
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
  const sources = configuredSources(sourceSettings(file));
  if (sources.length === 0 && report.isEmpty) {
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
