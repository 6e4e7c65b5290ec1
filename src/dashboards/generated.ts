import type { Dataset, Registry } from '../datasets/dataset.js';
import type { Queries } from '../datasets/queries.js';
import { renderDashboard } from './dashboard.js';
import { type AlertRequest, alertFile } from './dataset-alert.js';
import { datasetDashboard } from './dataset-dashboard.js';
import { dataSourceUnknown } from './errors.js';
import { factsOf } from './facts.js';
import type { Flavour } from './flavour.js';
import { flavours } from './flavours.js';

/** What dashboards and alerts of a dataset are made from. */
export interface GeneratedOptions {
  readonly registry: Pick<Registry, 'get'>;
  readonly queries: Queries;
  /** IANA name: axes and days are in it. */
  readonly timeZone: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Stops the questions to the dataset. */
  readonly signal: AbortSignal;
  /** Called when something is missing that another attempt may find. */
  readonly onNoAnswer?: () => void;
}

/** The flavour of that name; the first one without a name. Throws `DATASOURCE_UNKNOWN` (400). */
export function flavourOf(name: string | undefined): Flavour {
  if (name === undefined) return flavours[0]!;
  const flavour = flavours.find((known) => known.name === name);
  if (flavour === undefined) throw dataSourceUnknown(name);
  return flavour;
}

/** The dashboard of a dataset as Grafana loads it, as JSON. */
export async function dashboardJson(
  dataset: Dataset,
  flavour: Flavour,
  options: GeneratedOptions,
): Promise<string> {
  const { registry, queries, signal, onNoAnswer } = options;
  const facts = await factsOf(dataset, registry, queries, signal, onNoAnswer);
  const spec = datasetDashboard(facts, options.timeZone, options.now);
  return `${JSON.stringify(renderDashboard(spec, flavour), null, 2)}\n`;
}

/** One alert on a dataset as a provisioning file of Grafana, as YAML. Throws as `alertFile` does. */
export async function alertYaml(
  dataset: Dataset,
  request: AlertRequest,
  flavour: Flavour,
  options: GeneratedOptions & { readonly isPublished: boolean },
): Promise<string> {
  const facts = await factsOf(dataset, options.registry, options.queries, options.signal);
  return alertFile(facts, request, flavour, options.isPublished);
}
