import { type ColumnContract, type DatasetContract, datasets } from '../../dashboards/datasets.js';
import { type Field, plugins } from './plugins.js';
import type { DashboardJson, FlavourName, JsonObject, PanelJson, RuleJson } from './provisioning.js';
import { fillIn, type Picked, pickedTime } from './variables.js';

/** The contract between Grafana's queries and the service, checked on real answers. */

/** The most that one panel may fetch. */
const MAX_PANEL_BYTES = 300_000;

export interface Answer {
  readonly fields: readonly Field[];
  readonly rows: number;
  readonly bytes: number;
}

/** Fetches what Grafana would fetch for a panel, and throws the first thing that would be wrong in it. */
export async function checkPanel(
  dashboard: DashboardJson,
  panel: PanelJson,
  flavour: FlavourName,
  service: string,
  now: number,
): Promise<Answer[]> {
  const picked = pickedTime(dashboard, panel, now);
  const answers: Answer[] = [];
  for (const target of panel.targets ?? []) answers.push(await checkQuery(target, flavour, service, picked));
  const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
  if (bytes >= MAX_PANEL_BYTES) throw new Error(`it fetches ${bytes} bytes`);
  return answers;
}

/** The same for the query of an alert, whose answer must also be a table that alerting takes. */
export async function checkRule(rule: RuleJson, flavour: FlavourName, service: string): Promise<Answer> {
  const answer = await checkQuery(rule.data[0]!.model, flavour, service, null);
  const numbers = answer.fields.filter(({ type }) => type === 'number');
  if (numbers.length !== 1) throw new Error(`${numbers.length} number columns instead of one`);
  if (answer.fields.some(({ type }) => type === 'time')) throw new Error('a time column makes it a series');
  const labels = answer.fields.filter(({ type }) => type === 'string');
  const sets = Array.from({ length: answer.rows }, (_, i) =>
    JSON.stringify(labels.map(({ values }) => values[i])),
  );
  if (new Set(sets).size !== sets.length) throw new Error(`labels are not distinct: ${sets.join(' ')}`);
  return answer;
}

/** `picked` is null for an alert: variables are not replaced there. */
export async function checkQuery(
  target: JsonObject,
  flavour: FlavourName,
  service: string,
  picked: Picked | null,
): Promise<Answer> {
  const query = picked === null ? target : fillIn(target, picked);
  const address = plugins[flavour].address(query, service);
  const response = await fetch(address);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${address} → ${response.status} ${text}`);
  const fields = plugins[flavour].fields(query, response.status, text);
  const rows = fields[0]?.values.length ?? 0;
  checkFields(query, fields, rows, address);
  return { fields, rows, bytes: Buffer.byteLength(text) };
}

function checkFields(query: JsonObject, fields: readonly Field[], rows: number, address: URL): void {
  const contract = contractOf(address);
  const isEmpty =
    rows === 0 || fields.every(({ values }) => values.every((value) => value === null || value === ''));
  if (isEmpty) {
    if (contract.mayBeEmpty === undefined) throw new Error(`${address} has no row`);
    return;
  }
  for (const { name, text, type } of expectedColumns(query)) {
    const field = fields.find((field) => field.name === text);
    if (field === undefined) throw new Error(`${address} has no column ${name}`);
    const column = contract.columns[name];
    if (column === undefined) throw new Error(`${name} of ${address} is not in dashboards/datasets.ts`);
    checkColumn(field, { ...column, type }, `${name} of ${address}`);
  }
}

function checkColumn(field: Field, column: ColumnContract, name: string): void {
  if (field.type !== column.type)
    throw new Error(`${name} is read as ${field.type} instead of ${column.type}`);
  for (const [i, value] of field.values.entries()) {
    const isAbsent = value === null || value === '';
    if (isAbsent && column.mayBeAbsent === undefined) throw new Error(`${name} has no value in row ${i + 1}`);
  }
}

function contractOf(address: URL): DatasetContract {
  const name = address.pathname.replace('/csv/', '');
  const contract = (datasets as Readonly<Record<string, DatasetContract>>)[name];
  if (contract === undefined) throw new Error(`${name} is not in dashboards/datasets.ts`);
  return contract;
}

/** The columns that a query counts on: name in the CSV, name in Grafana, type. */
function expectedColumns(query: JsonObject) {
  type Type = ColumnContract['type'];
  const schema = query.schema as { name: string; type: Type }[] | undefined;
  if (schema !== undefined) return schema.map(({ name, type }) => ({ name, text: name, type }));
  const columns = query.columns as { selector: string; text: string; type: string }[];
  return columns.map(({ selector, text, type }) => ({
    name: selector,
    text,
    type: (type === 'timestamp' ? 'time' : type) as Type,
  }));
}
