import { parse } from 'csv-parse/sync';
import type { CellType } from '../../dashboards/datasets.js';
import { type DataSourceJson, dataSources, type FlavourName, type JsonObject } from './provisioning.js';

/** What the two plugins do with a query and its answer, by the rules in docs/grafana.md. */

export interface Field {
  readonly name: string;
  readonly type: CellType;
  readonly values: readonly (string | number | boolean | null)[];
}

export interface Plugin {
  /** The address that the plugin asks, for a query whose variables are filled in. */
  address(query: JsonObject, service: string): URL;
  /** The columns that Grafana gets; throws what Grafana would show instead. */
  fields(query: JsonObject, status: number, answer: string): Field[];
}

export const plugins: Record<FlavourName, Plugin> = {
  csv: { address: csvAddress, fields: csvFields },
  infinity: { address: infinityAddress, fields: infinityFields },
};

function dataSource(uid: string, service: string): DataSourceJson {
  const found = dataSources().find((source) => source.uid === uid)!;
  return { ...found, url: found.url.replace('$DYNAMO_CSV_URL', service) };
}

/** Path behind the data source's address, a query string in it dropped; the data source's parameters win. */
function csvAddress(query: JsonObject, service: string): URL {
  const { url, jsonData } = dataSource('csv', service);
  const address = new URL(url + query.path);
  address.search = '';
  for (const [key, value] of query.params as [string, string][]) address.searchParams.set(key, value);
  for (const [key, value] of new URLSearchParams(jsonData.queryParams as string)) {
    address.searchParams.set(key, value);
  }
  return address;
}

function infinityAddress(query: JsonObject, service: string): URL {
  const address = new URL(dataSource('infinity', service).url + query.url);
  const { params } = query.url_options as { params: { key: string; value: string }[] };
  for (const { key, value } of params) address.searchParams.append(key, value);
  return address;
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
    const isTimeKnown = timeLayout.test(rows[0]![i]!);
    const values = rows.map((row) => csvCell(row[i]!, type, isTimeKnown, query.decimalSeparator === '.'));
    fields.push({ name, type, values });
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
    const values = rows.map((row) => (i === -1 ? null : infinityCell(row[i]!, type)));
    return { name: text, type: type === 'timestamp' ? 'time' : (type as CellType), values };
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
