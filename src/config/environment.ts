import { Type } from 'typebox';
import { check } from '../options/check.js';
import { boolean, folder, type Kind, text } from '../options/kinds.js';
import { formatPath, type Mistake } from '../options/mistakes.js';
import { defaultOf } from '../options/schema.js';
import {
  host,
  hosts,
  LOG_LEVELS,
  logLevel,
  origins,
  plugin,
  port,
  ROLES,
  role,
  splitList,
  token,
  webAddress,
} from './environment-kinds.js';

const variable = (
  kind: Kind,
  pattern: string,
  words: { description: string; default?: string; examples: string[] },
) => Type.String({ ...words, pattern, kind });

/**
 * The environment variables of the service: what differs by deployment. An empty one counts as not set, as Compose
 * passes it for `${NAME:-}`. The AWS SDK reads its own (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_DYNAMODB`, …).
 */
export const EnvironmentSchema = Type.Partial(
  Type.Object({
    CONFIG: variable(text, '^', {
      description: 'The configuration file, relative to the working directory.',
      default: 'config/taxi-fleet.yaml',
      examples: ['/etc/dynamo-csv.yaml'],
    }),
    DATA_DIR: variable(folder, '^', {
      description:
        'The data folder, relative to the working directory; overrides `data` in the configuration file.',
      default: 'data',
      examples: ['/data'],
    }),
    ROLE: variable(role, `^(${ROLES.join('|')})$`, {
      description:
        'What this service does of what several can do together: `collect` polls and serves, `follow` serves what another one collects into the same data folder or archive, `auto` collects if no other does, and follows otherwise.',
      default: 'collect',
      examples: ['auto'],
    }),
    PORT: variable(port, '^[0-9]{1,5}$', {
      description: 'The port to listen on; 0 takes any free one.',
      default: '8080',
      examples: ['9000'],
    }),
    HOST: variable(host, '^([A-Za-z0-9_.-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?)$', {
      description: 'The address to listen on: by default this machine only; `0.0.0.0` for every network.',
      default: '127.0.0.1',
      examples: ['0.0.0.0'],
    }),
    LOG_LEVEL: variable(logLevel, `^(${LOG_LEVELS.join('|')})$`, {
      description: `The least level that is logged: ${LOG_LEVELS.join(', ')}.`,
      default: 'info',
      examples: ['debug'],
    }),
    API_TOKEN: variable(token, '^[A-Za-z0-9._~+/-]+=*$', {
      description:
        'When set, everything but `/healthz` and `/readyz` needs `Authorization: Bearer` with this token. It is never logged.',
      examples: ['the output of `openssl rand -hex 32`'],
    }),
    ALLOWED_HOSTS: variable(hosts, '^', {
      description:
        'Host names, separated by commas, under which the service may be reached without a token, in addition to addresses, names without a dot and names in `.localhost`, `.local`, `.internal`, `.home.arpa` and `.test`.',
      examples: ['data.example.org'],
    }),
    CORS_ORIGIN: variable(origins, '^', {
      description: "Origins, separated by commas, whose pages may read the datasets in a visitor's browser.",
      examples: ['https://grafana.example.org'],
    }),
    ALLOW_SQL: variable(boolean, '^(true|false)$', {
      description: '`true` opens `POST /sql` and `GET /csv?sql=`: read-only SQL over the datasets.',
      default: 'false',
      examples: ['true'],
    }),
    GRAFANA_URL: variable(webAddress, '^', {
      description: 'The address under which people open Grafana: the page links to it.',
      examples: ['http://localhost:3000/'],
    }),
    GRAFANA_DASHBOARDS: variable(folder, '^', {
      description:
        'A folder into which a dashboard for each table is written, for a file provider of Grafana; relative to the working directory.',
      examples: ['/dashboards'],
    }),
    GRAFANA_DATASOURCE: variable(plugin, '^(csv|infinity)$', {
      description: 'The plugin with which these dashboards ask: `csv` or `infinity`.',
      default: 'csv',
      examples: ['infinity'],
    }),
  }),
);

const variables = EnvironmentSchema.properties;

export type LogLevel = (typeof LOG_LEVELS)[number];
export type Role = (typeof ROLES)[number];

export interface Environment {
  /** The file's path as given; undefined: the default. */
  readonly CONFIG?: string;
  readonly DATA_DIR?: string;
  readonly ROLE: Role;
  readonly PORT: number;
  readonly HOST: string;
  readonly LOG_LEVEL: LogLevel;
  readonly API_TOKEN: string | null;
  /** In lower case, without ports. */
  readonly ALLOWED_HOSTS: readonly string[];
  readonly CORS_ORIGIN: readonly string[];
  readonly ALLOW_SQL: boolean;
  readonly GRAFANA_URL: string | null;
  readonly GRAFANA_DASHBOARDS: string | null;
  readonly GRAFANA_DATASOURCE: string;
}

/** Reads the variables; each wrong one goes to `mistakes` as a line `PORT: "80a" is not a port; …`, its default is taken. */
export function readEnvironment(env: Readonly<NodeJS.ProcessEnv>, mistakes: string[]): Environment {
  const names = Object.keys(EnvironmentSchema.properties);
  const given = Object.fromEntries(
    names.flatMap((name) => ((env[name] ?? '').trim() === '' ? [] : [[name, (env[name] ?? '').trim()]])),
  );
  const found: Mistake[] = [];
  const right = check(EnvironmentSchema, given, found) as Partial<Record<keyof Environment, string>>;
  mistakes.push(...found.map((mistake) => line(mistake)));
  return {
    ...(right.CONFIG === undefined ? {} : { CONFIG: right.CONFIG }),
    ...(right.DATA_DIR === undefined ? {} : { DATA_DIR: right.DATA_DIR }),
    ROLE: (right.ROLE ?? defaultOf<Role>(variables.ROLE)) as Role,
    PORT: Number(right.PORT ?? defaultOf<string>(variables.PORT)),
    HOST: right.HOST ?? defaultOf<string>(variables.HOST),
    LOG_LEVEL: (right.LOG_LEVEL ?? defaultOf<LogLevel>(variables.LOG_LEVEL)) as LogLevel,
    API_TOKEN: right.API_TOKEN ?? null,
    ALLOWED_HOSTS: splitList(right.ALLOWED_HOSTS ?? '').map((name) => name.toLowerCase()),
    CORS_ORIGIN: splitList(right.CORS_ORIGIN ?? ''),
    ALLOW_SQL: right.ALLOW_SQL === 'true',
    GRAFANA_URL: right.GRAFANA_URL ?? null,
    GRAFANA_DASHBOARDS: right.GRAFANA_DASHBOARDS ?? null,
    GRAFANA_DATASOURCE: right.GRAFANA_DATASOURCE ?? defaultOf<string>(variables.GRAFANA_DATASOURCE),
  };
}

/** The value of a secret is never shown, not even a wrong one. */
function line({ path, wrong, remedy }: Mistake): string {
  if (path[0] !== 'API_TOKEN') return `${formatPath(path)}: ${wrong}; ${remedy}`;
  return `API_TOKEN: the value (not shown) is not a token that fits into a header; ${remedy}`;
}
