import { type ColumnContract, type DatasetContract, datasets } from '../../dashboards/datasets.js';
import { patientFetch } from '../support/patient-fetch.js';
import { type Environment, type Field, plugins } from './plugins.js';
import type { DashboardJson, FlavourName, JsonObject, PanelJson, RuleJson } from './provisioning.js';
import { fillIn, type Picked, pickedTime } from './variables.js';

/** The contract between Grafana's queries and the service, checked on real answers. */

/** The most that one panel may fetch. */
const MAX_PANEL_BYTES = 300_000;

/** A Grafana that asks a running service. */
export interface Asking {
  readonly flavour: FlavourName;
  /** Where the service is, and the token for it. */
  readonly environment: Environment;
  /** The service has nothing to tell yet: any value may be absent, and rows may be. */
  readonly isNew?: boolean;
}

export interface Answer {
  readonly fields: readonly Field[];
  readonly rows: number;
  readonly bytes: number;
}

/** Fetches what Grafana would fetch for a panel at `now`, and throws the first thing that would be wrong in it. */
export async function checkPanel(
  dashboard: DashboardJson,
  panel: PanelJson,
  asking: Asking,
  now: number,
): Promise<Answer[]> {
  const picked = pickedTime(dashboard, panel, now);
  const answers: Answer[] = [];
  for (const target of panel.targets ?? []) answers.push(await checkQuery(target, asking, picked));
  const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
  if (bytes >= MAX_PANEL_BYTES) throw new Error(`it fetches ${bytes} bytes`);
  return answers;
}

/** The same for the query of an alert, whose answer must also be a table that alerting takes. */
export async function checkRule(rule: RuleJson, asking: Asking): Promise<Answer> {
  const answer = await checkQuery(rule.data[0]!.model, asking, null);
  labelSets(answer);
  return answer;
}

/** The number of each label set; throws where alerting would refuse the table, or take two rows for one. */
export function labelSets({ fields, rows }: Answer): ReadonlyMap<string, number | null> {
  const numbers = fields.filter(({ type }) => type === 'number');
  if (numbers.length !== 1) throw new Error(`${numbers.length} number columns instead of one`);
  if (fields.some(({ type }) => type === 'time')) throw new Error('a time column makes it a series');
  const labels = fields.filter(({ type }) => type === 'string');
  const sets = new Map<string, number | null>();
  for (let row = 0; row < rows; row++) {
    const set = labels.map(({ name, values }) => `${name}=${values[row]}`).join(', ');
    if (sets.has(set)) throw new Error(`labels are not distinct: ${set}`);
    sets.set(set, numbers[0]!.values[row] as number | null);
  }
  return sets;
}

/** One query and its answer. `picked` is null for an alert: variables are not replaced there. */
export async function checkQuery(target: JsonObject, asking: Asking, picked: Picked | null): Promise<Answer> {
  const query = picked === null ? target : fillIn(target, picked);
  const { request, fields } = plugins[asking.flavour];
  const { address, headers } = request(query, asking.environment);
  const response = await patientFetch(address, { headers });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${address} → ${response.status} ${text}`);
  const answer = fields(query, response.status, text);
  const rows = answer[0]?.values.length ?? 0;
  checkFields(query, answer, address, asking);
  return { fields: answer, rows, bytes: Buffer.byteLength(text) };
}

function checkFields(query: JsonObject, fields: readonly Field[], address: URL, asking: Asking): void {
  const contract = contractOf(address);
  // Also where `pad` makes a row of nothing.
  const isEmpty = fields.every(({ cells }) => (cells ?? []).every(isAbsent));
  const mayBeEmpty = asking.isNew === true || contract.mayBeEmpty !== undefined;
  if (fields[0]?.values.length === 0 && !mayBeEmpty) throw new Error(`${address} has no row`);
  for (const { name, text, type } of expectedColumns(query)) {
    const field = fields.find((field) => field.name === text);
    if (field === undefined || field.cells === null) throw new Error(`${address} has no column ${name}`);
    const column = contract.columns[name];
    if (column === undefined) throw new Error(`${name} of ${address} is not in dashboards/datasets.ts`);
    if (type !== column.type) throw new Error(`${name} of ${address} is a ${column.type}, not a ${type}`);
    const mayBeAbsent = (isEmpty && mayBeEmpty) || column.mayBeAbsent !== undefined || asking.isNew === true;
    checkColumn(field, mayBeAbsent, asking.flavour, `${name} of ${address}`);
  }
}

const isAbsent = (cell: string) => cell === '' || cell === 'null';

function checkColumn(field: Field, mayBeAbsent: boolean, flavour: FlavourName, name: string): void {
  for (const [i, cell] of field.cells!.entries()) {
    if (!isAbsent(cell)) {
      if (field.values[i] === null) throw new Error(`${name}: "${cell}" is no ${field.type}`);
    } else if (!mayBeAbsent) {
      throw new Error(`${name} has no value in row ${i + 1}`);
    } else if (flavour === 'csv' && field.type === 'number' && cell === '') {
      throw new Error(`${name} has no value in row ${i + 1}, and would be read as 0`);
    }
  }
}

function contractOf(address: URL): DatasetContract {
  const name = address.pathname.replace('/csv/', '');
  const contract = (datasets as Readonly<Record<string, DatasetContract>>)[name];
  if (contract === undefined) throw new Error(`${name} is not in dashboards/datasets.ts`);
  return contract;
}

/** The columns that a query counts on: name in the CSV, name in Grafana, type. */
export function expectedColumns(query: JsonObject) {
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
