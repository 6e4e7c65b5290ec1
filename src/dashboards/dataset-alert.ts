import { RuleGroupBuilder } from '@grafana/grafana-foundation-sdk/alerting';
import { formatDuration, parseDuration } from '../base/durations.js';
import { type AlertSpec, groupInFile, rule } from './alert.js';
import { panelIds } from './dataset-standing.js';
import { alertImpossible, badAlert } from './errors.js';
import { type Facts, groupKeys } from './facts.js';
import type { Flavour } from './flavour.js';
import { isPlainName, titleOf } from './naming.js';
import { columnList, type Reading } from './reading.js';
import { dashboardUid, datasetHash } from './uid.js';
import { aggregates, freeName } from './windows.js';
import { yamlFile } from './yaml-file.js';

export const ALERTS = ['stale', 'above', 'empty'] as const;

/** What an alert to copy is asked for with, as texts of a URL. */
export interface AlertRequest {
  /** `stale`: the data, or its newest row, is older than `older`. `above`: a number is above `value`. `empty`: no rows. */
  readonly alert?: string;
  /** A duration such as `15m`, for `stale`; by default three polling intervals, or an hour. */
  readonly older?: string;
  /** The number column, for `above`; by default the first that measures something. */
  readonly column?: string;
  /** The bound, for `above`. */
  readonly value?: string;
  /** How long it must be so before anybody is told; by default a minute. */
  readonly for?: string;
}

const FOLDER = 'Table alerts';
/** Seconds between two evaluations. */
const EVALUATED_EVERY = 60;
/** Items that one alert names. */
const MOST_ITEMS = 50;
const HOUR = 3_600_000;
const MOST_TITLE = 190;

/**
 * The provisioning file of one alert on a dataset, as YAML. `isPublished`: its dashboard is in Grafana, so that the message
 * can link to it. Throws `BAD_ALERT` (400) for a request that cannot be read, and where the dataset cannot have that alert.
 */
export function alertFile(
  facts: Facts,
  request: AlertRequest,
  flavour: Flavour,
  isPublished: boolean,
): string {
  const spec = specOf(facts, request);
  const panel = isPublished ? { panel: [dashboardUid(facts.dataset), panelIds.rows] as const } : {};
  const group = new RuleGroupBuilder(spec.title)
    .folderUid(FOLDER)
    .interval(EVALUATED_EVERY)
    .rules([rule({ ...spec, ...panel }, flavour)])
    .build();
  const comment = `Save it as ${spec.uid}.yaml in Grafana's folder provisioning/alerting and restart Grafana.`;
  return yamlFile({ apiVersion: 1, groups: [groupInFile(group, FOLDER)] }, comment);
}

type Spec = Omit<AlertSpec, 'panel' | 'team'>;

function specOf(facts: Facts, request: AlertRequest): Spec {
  switch (request.alert ?? 'stale') {
    case 'stale':
      return stale(facts, request);
    case 'above':
      return above(facts, request);
    case 'empty':
      return empty(facts, request);
    default:
      throw badAlert(
        `alert: there is no alert ${JSON.stringify(request.alert)}`,
        `write one of ${ALERTS.join(', ')}`,
      );
  }
}

const common = ({ for: length }: AlertRequest) =>
  ({
    for: durationOf('for', length, 60_000),
    severity: 'warning',
    onSilence: 'KeepLast',
  }) as const;

function durationOf(parameter: string, text: string | undefined, otherwise: number): string {
  if (text === undefined) return formatDuration(otherwise);
  const length = parseDuration(text);
  if (length === null || length === 0) {
    throw badAlert(`${parameter}: ${JSON.stringify(text)} is not a duration`, `write ${parameter}=15m`);
  }
  return formatDuration(length);
}

/** Grafana takes titles of up to 190 characters. What makes it an alert of its own stands at the end. */
const shortened = (title: string) =>
  title.length <= MOST_TITLE ? title : `${title.slice(0, 100)}…${title.slice(101 - MOST_TITLE)}`;

/** A name within a text that Grafana reads as a Go template. */
const inTemplate = (name: string) => (name.includes('{{') ? `{{ ${JSON.stringify(name)} }}` : name);

function stale(facts: Facts, request: AlertRequest): Spec {
  const { dataset, timeColumn, kind, interval, isPollLog } = facts;
  const older = durationOf('older', request.older, interval === null ? HOUR : 3 * interval);
  const name = inTemplate(dataset);
  const hasOwnTime = timeColumn !== null && !isPollLog && kind !== 'changes';
  if (!hasOwnTime && interval === null)
    throw alertImpossible(dataset, 'it has no time column and is not polled');
  return {
    uid: `stale-${datasetHash(dataset)}`,
    title: shortened(`${dataset} is old`),
    reading: hasOwnTime
      ? counted(dataset, { last: older })
      : {
          dataset: 'collector',
          columns: [{ name: 'age_seconds', type: 'number' }],
          window: { dataset },
        },
    when: hasOwnTime ? ['lt', 1] : ['gt', parseDuration(older)! / 1_000],
    summary: hasOwnTime
      ? `${name} has no row of the last ${older}`
      : `${name} has not been read for more than ${older}`,
    resolved: `${name} is up to date again`,
    description: hasOwnTime
      ? `By the column ${inTemplate(timeColumn)}. Find out why nothing is written to it.`
      : 'Its panels and alerts use old data. The reason is in the column last_error of the dataset collector.',
    ...common(request),
  };
}

const counted = (dataset: string, window: Reading['window']): Reading => ({
  dataset,
  columns: [{ name: 'rows', type: 'number' }],
  window: { ...window, agg: aggregates(['rows', 'count']) },
});

function above(facts: Facts, request: AlertRequest): Spec {
  const { dataset } = facts;
  const column = measureOf(facts, request.column);
  const bound = boundOf(request.value);
  const keys = groupKeys(facts).map(({ name }) => name);
  const value = freeName('value', keys);
  const labels = keys.map((key) => `{{ index $labels ${JSON.stringify(key)} }}`).join(', ');
  const what = `${inTemplate(column)} of ${inTemplate(dataset)}`;
  return {
    uid: `above-${datasetHash(dataset)}-${datasetHash(column).slice(0, 4)}`,
    title: shortened(`${titleOf(column)} of ${dataset} is above ${bound}`),
    reading: {
      dataset,
      // Labels are strings; a number beside the value would be a second one.
      columns: [...keys.map((name) => ({ name, type: 'string' as const })), { name: value, type: 'number' }],
      window: {
        ...recent(facts),
        // The rows beyond the bound only: an instance for each item of a large table would be too many.
        [`where.${column}__gt`]: String(bound),
        agg: aggregates([value, `max:${column}`]),
        ...(keys.length === 0
          ? {}
          : { by: columnList(keys), sort: columnList([`-${value}`]), limit: String(MOST_ITEMS) }),
      },
    },
    when: ['gt', bound],
    summary: `${what}{{ if $values.A }}${labels === '' ? '' : ` (${labels})`} is {{ printf "%g" $values.A.Value }}{{ else }} is above ${bound}{{ end }}`,
    resolved: `${what} is at most ${bound} again`,
    description: `It fires above ${bound}.`,
    ...common(request),
  };
}

/** Of a log or another dataset with times, the rows of the last polls, or minutes. */
function recent({ timeColumn, interval }: Facts): Reading['window'] {
  if (timeColumn === null) return {};
  return { last: formatDuration(Math.max(5 * 60_000, 3 * (interval ?? 0))) };
}

function measureOf({ dataset, columns, measures, keys }: Facts, column: string | undefined): string {
  const numbers = columns.filter(
    ({ name, type }) => type === 'number' && !keys.some((key) => key.name === name),
  );
  const chosen = column ?? measures[0] ?? numbers[0]?.name;
  if (chosen === undefined) throw alertImpossible(dataset, 'it has no number column');
  if (numbers.some(({ name }) => name === chosen) && isPlainName(chosen)) return chosen;
  throw badAlert(
    `column: ${JSON.stringify(chosen)} is not a number column of ${dataset}`,
    numbers.length === 0
      ? 'choose another alert'
      : `write one of ${numbers
          .map(({ name }) => name)
          .slice(0, 20)
          .join(', ')}`,
  );
}

function boundOf(text: string | undefined): number {
  if (text === undefined) throw badAlert('value: the bound is missing', 'write value=100');
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  throw badAlert(
    `value: ${JSON.stringify(text)} is not a number`,
    'write it in plain digits, such as 12 or -0.5',
  );
}

function empty(facts: Facts, request: AlertRequest): Spec {
  const name = inTemplate(facts.dataset);
  return {
    uid: `empty-${datasetHash(facts.dataset)}`,
    title: shortened(`${facts.dataset} is empty`),
    reading: counted(facts.dataset, recent(facts)),
    when: ['lt', 1],
    summary: `${name} has no rows`,
    resolved: `${name} has rows again`,
    description: 'Find out why nothing is written to it, or who emptied it.',
    ...common(request),
  };
}
