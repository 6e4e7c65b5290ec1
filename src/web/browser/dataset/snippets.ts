import { formatList, formatQuery, type Parameters, parameterOf } from '../address.js';
import type { ColumnJson } from '../types.js';
import { hasOwnColumns, rowParameters, withRange } from './window.js';

/** What a window is, for writing it down elsewhere. */
export interface Reading {
  /** Path on the service: `/csv/<name>`, or `/csv` of a SQL text. */
  readonly path: string;
  readonly parameters: Parameters;
  /** The answer's columns, in order. */
  readonly columns: readonly ColumnJson[];
  /** The column that time windows refer to. */
  readonly timeColumn: string | null;
}

/** `base` is where the service is, with a `/` at its end. */
export function plainUrl({ path, parameters }: Pick<Reading, 'path' | 'parameters'>, base: string): string {
  return new URL(path.slice(1), base).href + formatQuery(parameters);
}

/** Works in any POSIX shell. The token is not written down: the shell's own variable is the placeholder for it. */
export function curlCommand(reading: Reading, base: string, withToken: boolean): string {
  const header = withToken ? ' -H "Authorization: Bearer $API_TOKEN"' : '';
  return `curl -sS${header} '${plainUrl(reading, base)}'`;
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables, not ours
const PICKED_TIME = ['${__from}', '${__to}'] as const;

/** The same of the time that is picked in the dashboard, which Grafana fills in. */
export function inDashboardTime(reading: Reading): Reading {
  return { ...reading, parameters: withRange(reading.parameters, ...PICKED_TIME) };
}

/** Names and uids of the provisioned data sources. */
const CSV_SOURCE = { type: 'marcusolsson-csv-datasource', uid: 'csv' };
const INFINITY_SOURCE = { type: 'yesoreyeram-infinity-datasource', uid: 'infinity' };

/** The data source's address ends with `/csv`, so the query's path is what follows. */
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

/** Infinity sorts fields by name, and draws lines in one colour unless the time is first: a capital sorts before all. */
function infinityField({ columns, timeColumn }: Reading, name: string): string {
  return name === timeColumn && !columns.some((column) => column.name === 'Time') ? 'Time' : name;
}

/** How the CSV is written is the data source's business. Columns are named, so that a column that is added to the dataset later does not disturb the panel. */
function queryParameters({ parameters, columns }: Reading): [string, string][] {
  const pairs = rowParameters(parameters).map(([name, value]): [string, string] => [name, value]);
  const isNamed = parameterOf(parameters, 'columns') !== null || parameterOf(parameters, 'sql') !== null;
  if (isNamed || hasOwnColumns(parameters) || columns.length === 0) return pairs;
  return [['columns', formatList(columns.map(({ name }) => name))], ...pairs];
}
