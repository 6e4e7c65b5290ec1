import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../src/base/project.js';

/** What Grafana will load, read from the repository as Grafana reads it: the tests' only source. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };
export type JsonObject = { [key: string]: Json | undefined };

export const flavourNames = ['csv', 'infinity'] as const;
export type FlavourName = (typeof flavourNames)[number];

export const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
export const list = (path: string) => readdirSync(join(projectRoot, path)).sort();

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly JsonObject[];
  readonly transformations?: readonly { readonly id: string; readonly options: JsonObject }[];
  readonly options: JsonObject;
  readonly fieldConfig?: { readonly defaults: JsonObject; readonly overrides: readonly JsonObject[] };
  readonly collapsed?: boolean;
  readonly panels?: readonly PanelJson[];
}

export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly JsonObject[] };
  readonly panels: readonly PanelJson[];
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly current: { readonly value: string | readonly string[] };
  readonly query: string | JsonObject;
  readonly options?: readonly { readonly value: string }[];
}

export interface ProviderJson {
  readonly name: string;
  readonly folder: string;
  readonly folderUid?: string;
  readonly allowUiUpdates: boolean;
  readonly options: { readonly path: string };
}

export function providersOf(flavour: FlavourName): ProviderJson[] {
  const text = read(`grafana-provisioning/dashboards/${flavour}/dashboards.yaml`);
  return (parse(text) as { providers: ProviderJson[] }).providers;
}

export function dashboardsOf(flavour: FlavourName): DashboardJson[] {
  const place = `grafana-provisioning/dashboards/${flavour}`;
  const names = list(place).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(read(`${place}/${name}`)) as DashboardJson);
}

/** Every panel that shows something, those in collapsed rows too. */
export function panelsOf(dashboard: DashboardJson): PanelJson[] {
  return dashboard.panels.flatMap((panel) => (panel.type === 'row' ? [...(panel.panels ?? [])] : [panel]));
}

export interface RuleJson {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly for: string;
  readonly keepFiringFor?: string;
  readonly noDataState: string;
  readonly execErrState: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: readonly {
    readonly refId: string;
    readonly datasourceUid: string;
    readonly relativeTimeRange: { readonly from: number; readonly to: number };
    readonly model: JsonObject;
  }[];
}

export interface GroupJson {
  readonly name: string;
  readonly folder: string;
  readonly interval: string;
  readonly rules: readonly RuleJson[];
}

export function groupsOf(flavour: FlavourName): GroupJson[] {
  const text = read(`grafana-provisioning/alerting/${flavour}/rules.yaml`);
  return (parse(text) as { groups: GroupJson[] }).groups;
}

export const rulesOf = (flavour: FlavourName): RuleJson[] =>
  groupsOf(flavour).flatMap(({ rules }) => [...rules]);

export interface DataSourceJson {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly url: string;
  readonly jsonData: JsonObject;
  readonly secureJsonData?: JsonObject;
}

export function dataSources(): DataSourceJson[] {
  const text = read('grafana-provisioning/datasources/dynamo-csv.yaml');
  return (parse(text) as { datasources: DataSourceJson[] }).datasources;
}
