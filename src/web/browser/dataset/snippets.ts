import { formatList, formatQuery, type Parameters, parameterOf } from '../address.js';
import type { ColumnJson } from '../types.js';
import { hasOwnColumns, rowParameters, withRange } from './window.js';

/** A window, described for use elsewhere. */
export interface Reading {
  /** Path on the service: `/csv/<name>`, or `/csv` for SQL. */
  readonly path: string;
  readonly parameters: Parameters;
  /** The columns of the response, in order. */
  readonly columns: readonly ColumnJson[];
  /** The column that time windows refer to. */
  readonly timeColumn: string | null;
}

/** `base`: the URL of the service, with a trailing `/`. */
export function plainUrl({ path, parameters }: Pick<Reading, 'path' | 'parameters'>, base: string): string {
  return new URL(path.slice(1), base).href + formatQuery(parameters);
}

/** A command for any POSIX shell. The token is not included: a shell variable is its placeholder. */
export function curlCommand(reading: Reading, base: string, withToken: boolean): string {
  const header = withToken ? ' -H "Authorization: Bearer $API_TOKEN"' : '';
  return `curl -sS${header} '${plainUrl(reading, base)}'`;
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables, not ours
const PICKED_TIME = ['${__from}', '${__to}'] as const;

/** The same window with the dashboard's time range, which Grafana fills in. */
export function inDashboardTime(reading: Reading): Reading {
  return { ...reading, parameters: withRange(reading.parameters, ...PICKED_TIME) };
}

/** Names and uids of the provisioned data sources. */
const CSV_SOURCE = { type: 'marcusolsson-csv-datasource', uid: 'csv' };
const INFINITY_SOURCE = { type: 'yesoreyeram-infinity-datasource', uid: 'infinity' };

/** The data source's URL ends with `/csv`, so the query's path is what follows. */
export function grafanaCsvQuery(reading: Reading): object {
  return {
    refId: 'A',
    datasource: CSV_SOURCE,
    header: true,
    delimiter: ',',
    decimalSeparator: '.',
    skipRows: 0,
    timezone: '',
    ignoreUnknown: true,
    schema: reading.columns.map(({ name, type }) => ({ name, type })),
    method: 'GET',
    path: reading.path.replace(/^\/csv/, ''),
    params: queryParameters(reading),
    headers: [],
    body: '',
  };
}

const INFINITY_TYPES = { string: 'string', number: 'number', boolean: 'boolean', time: 'timestamp' } as const;

export function infinityQuery(reading: Reading): object {
  return {
    refId: 'A',
    datasource: INFINITY_SOURCE,
    type: 'csv',
    source: 'url',
    parser: 'backend',
    format: 'table',
    url: reading.path,
    url_options: {
      method: 'GET',
      params: queryParameters(reading).map(([key, value]) => ({ key, value })),
    },
    root_selector: '',
    columns: reading.columns.map(({ name, type }) => ({
      selector: name,
      text: infinityField(reading, name),
      type: INFINITY_TYPES[type],
    })),
  };
}

/** Infinity sorts fields by name, and draws all lines in one colour unless the time is first, so it gets a capital letter. */
function infinityField({ columns, timeColumn }: Reading, name: string): string {
  return name === timeColumn && !columns.some((column) => column.name === 'Time') ? 'Time' : name;
}

/** The data source sets the shape of the CSV. Columns are named, so that columns added later do not affect the panel. */
function queryParameters({ parameters, columns }: Reading): [string, string][] {
  const pairs = rowParameters(parameters).map(([name, value]): [string, string] => [name, value]);
  const isNamed = parameterOf(parameters, 'columns') !== null || parameterOf(parameters, 'sql') !== null;
  if (isNamed || hasOwnColumns(parameters) || columns.length === 0) return pairs;
  return [['columns', formatList(columns.map(({ name }) => name))], ...pairs];
}
