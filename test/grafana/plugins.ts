import { parse } from 'csv-parse/sync';
import type { CellType } from '../../src/dashboards/reading.js';
import { type DataSourceJson, dataSources, type FlavourName, type JsonObject } from './provisioning.js';

/** What the two plugins do with a query and its answer, by the rules in docs/grafana.md. */

export interface Field {
  readonly name: string;
  readonly type: CellType;
  readonly values: readonly (string | number | boolean | null)[];
  /** The text that each value was read from; null: the answer has no such column. */
  readonly cells: readonly string[] | null;
}

/** What Grafana has in its own environment for the data sources: `DYNAMO_CSV_URL`, `DYNAMO_CSV_TOKEN`. */
export type Environment = Readonly<Record<string, string>>;

export interface Request {
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Plugin {
  /** What the plugin asks, and how it shows who it is, for a query whose variables are filled in. */
  request(query: JsonObject, environment: Environment): Request;
  /** The columns that Grafana gets; throws what Grafana would show instead. */
  fields(query: JsonObject, status: number, answer: string): Field[];
}

export const plugins: Record<FlavourName, Plugin> = {
  csv: { request: csvRequest, fields: csvFields },
  infinity: { request: infinityRequest, fields: infinityFields },
};

/** As Grafana provisions it: each `$NAME` replaced once, an unknown one by nothing. */
function dataSource(uid: string, environment: Environment): DataSourceJson {
  const text = JSON.stringify(dataSources().find((source) => source.uid === uid));
  const expanded = text.replaceAll(/\$(\w+)/g, (_, name: string) =>
    JSON.stringify(environment[name] ?? '').slice(1, -1),
  );
  return JSON.parse(expanded) as DataSourceJson;
}

/** Path behind the data source's address, a query string in it dropped; the data source's parameters win. */
function csvRequest(query: JsonObject, environment: Environment): Request {
  const { url, jsonData, secureJsonData = {} } = dataSource('csv', environment);
  const address = new URL(url + query.path);
  address.search = '';
  for (const [key, value] of query.params as [string, string][]) address.searchParams.set(key, value);
  for (const [key, value] of new URLSearchParams(jsonData.queryParams as string)) {
    address.searchParams.set(key, value);
  }
  const headers: Record<string, string> = {};
  for (let n = 1; jsonData[`httpHeaderName${n}`] !== undefined; n++) {
    headers[jsonData[`httpHeaderName${n}`] as string] = secureJsonData[`httpHeaderValue${n}`] as string;
  }
  return { address, headers };
}

/**
 * It drops the spaces at both ends of a parameter. With authentication it asks only hosts that are allowed: the beginnings of
 * addresses, with the scheme.
 */
function infinityRequest(query: JsonObject, environment: Environment): Request {
  const { url, jsonData, secureJsonData = {} } = dataSource('infinity', environment);
  const address = new URL(url + query.url);
  const { params } = query.url_options as { params: { key: string; value: string }[] };
  for (const { key, value } of params) address.searchParams.append(key, value.trim());
  if (jsonData.auth_method !== 'bearerToken') throw new Error(`unknown method ${jsonData.auth_method}`);
  const isAllowed = (jsonData.allowedHosts as string[]).some((host) => address.href.startsWith(host));
  if (!isAllowed) throw new Error(`requested URL not allowed: ${address}`);
  return { address, headers: { Authorization: `Bearer ${secureJsonData.bearerToken}` } };
}

/** The status does not matter to this plugin: any answer with a second line is data. */
function csvFields(query: JsonObject, _status: number, answer: string): Field[] {
  const [header, ...rows] = records(answer);
  if (header === undefined) throw new Error('no records found in CSV');
  if (rows.length === 0) throw new Error(`no data rows found in CSV: ${answer.trim()}`);
  const schema = new Map(
    (query.schema as { name: string; type: CellType }[]).map((field) => [field.name, field]),
  );
  const fields: Field[] = [];
  for (const [i, name] of header.entries()) {
    const type = schema.get(name)?.type ?? (query.ignoreUnknown === true ? null : 'string');
    if (type === null) continue;
    const cells = rows.map((row) => row[i]!);
    const isTimeKnown = timeLayout.test(cells[0]!);
    const values = cells.map((cell) => csvCell(cell, type, isTimeKnown, query.decimalSeparator === '.'));
    fields.push({ name, type, values, cells });
  }
  return fields;
}

/** ISO 8601 with `Z`, with or without fractions: of the layouts the plugin knows, the one we write. */
const timeLayout = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

function csvCell(
  text: string,
  type: CellType,
  isTimeKnown: boolean,
  isPointKnown: boolean,
): Field['values'][number] {
  if (type === 'string') return text;
  if (type === 'boolean') return { true: true, false: false }[text] ?? null;
  if (type === 'time') return isTimeKnown && timeLayout.test(text) ? Date.parse(text) : null;
  if (!isPointKnown) return null;
  // It appends ".0" where it finds no point: nothing becomes 0, and an exponent without a point no number at all.
  const completed = text.includes('.') ? text : `${text}.0`;
  return /^[+-]?\d*\.\d+([eE][+-]?\d+)?$/.test(completed) ? Number(completed) : null;
}

/** An answer of status 400 or more is an error; a header alone is no data, which is not. */
function infinityFields(query: JsonObject, status: number, answer: string): Field[] {
  if (query.parser !== 'backend') throw new Error('only the backend parser gives alerts data');
  if (status >= 400) throw new Error(`unsuccessful HTTP response: ${status} ${answer.trim()}`);
  const [header, ...rows] = records(answer);
  const columns = query.columns as { selector: string; text: string; type: string }[];
  const fields = columns.map(({ selector, text, type }): Field => {
    const i = header!.indexOf(selector);
    const cells = i === -1 ? null : rows.map((row) => row[i]!);
    const values = rows.map((_, n) => (cells === null ? null : infinityCell(cells[n]!, type)));
    return { name: text, type: type === 'timestamp' ? 'time' : (type as CellType), values, cells };
  });
  return fields.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function infinityCell(text: string, type: string): Field['values'][number] {
  if (type === 'string') return text;
  if (text === '' || text === 'null') return null;
  if (type === 'boolean') return { true: true, false: false }[text] ?? null;
  if (type === 'timestamp') return timeLayout.test(text) ? Date.parse(text) : null;
  return Number.isFinite(Number(text)) ? Number(text) : null;
}

/** As Go reads CSV: empty lines are skipped, a ragged row is an error, a byte order mark belongs to the first name. */
function records(text: string): string[][] {
  return parse(text, { bom: false, relax_quotes: true, skip_empty_lines: true }) as string[][];
}
