import {
  QueryBuilder,
  type Rule,
  RuleBuilder,
  type RuleGroup,
} from '@grafana/grafana-foundation-sdk/alerting';
import { type Flavour, queryOf } from './flavour.js';
import type { Reading } from './reading.js';

/** One alert rule, for either flavour: a number for each label set, and the bound that it must not cross. */
export interface AlertSpec {
  /** Stays the same for ever; a rule that goes moves to `retiredRules`. */
  readonly uid: string;
  readonly title: string;
  /** Exactly one number column; every other column is a string and becomes a label. No time. */
  readonly reading: Reading;
  readonly when: readonly ['gte' | 'gt' | 'lte' | 'lt', bound: number];
  /** How long it must be so before anybody is told. */
  readonly for: string;
  /** How long it goes on firing when the value is good again: so that what comes and goes is one message. */
  readonly keepFiringFor?: string;
  readonly severity: 'critical' | 'warning';
  /** Who is told; without it the rule has no such label. */
  readonly team?: string;
  readonly summary: string;
  /** What to say when it is over. Without a value: it is the good one then, or there is none. */
  readonly resolved: string;
  /** What to do about it. */
  readonly description: string;
  readonly panel?: readonly [dashboard: string, id: number];
  /**
   * What it is when the service does not answer: as it was (so that nothing is resolved that is not), which is right
   * for every rule but the one that is about just this.
   */
  readonly onSilence: 'KeepLast' | 'Alerting';
}

const expression = { type: '__expr__', uid: '__expr__' };
/** The service knows what "now" is; Grafana only demands a range. */
const range = { from: 600, to: 0 };

/** The rule as the builders make it, in the form of Grafana's HTTP API. */
export function rule(alert: AlertSpec, flavour: Flavour): RuleBuilder {
  const [type, bound] = alert.when;
  const threshold = queryOf({
    refId: 'B',
    datasource: expression,
    type: 'threshold',
    expression: 'A',
    conditions: [{ evaluator: { type, params: [bound] } }],
  });
  const builder = new RuleBuilder(alert.title)
    .uid(alert.uid)
    .condition('B')
    .queries([
      new QueryBuilder('A')
        .datasourceUid(flavour.dataSource.uid)
        .relativeTimeRange(range)
        .model(flavour.query(alert.reading, 'A')),
      new QueryBuilder('B').datasourceUid(expression.uid).relativeTimeRange(range).model(threshold),
    ])
    .forDuration(alert.for)
    .noDataState(alert.onSilence === 'KeepLast' ? flavour.withoutValue : alert.onSilence)
    .execErrState(alert.onSilence)
    .labels({ severity: alert.severity, ...(alert.team === undefined ? {} : { team: alert.team }) })
    .annotations({
      summary: alert.summary,
      resolved: alert.resolved,
      description: alert.description,
      ...(alert.panel === undefined
        ? {}
        : { __dashboardUid__: alert.panel[0], __panelId__: String(alert.panel[1]) }),
    });
  if (alert.keepFiringFor !== undefined) builder.keepFiringFor(alert.keepFiringFor);
  return builder;
}

/**
 * A group as Grafana's provisioning files want it: the builders give what its HTTP API takes, the same things under
 * other names.
 */
export function groupInFile({ title, interval, rules }: RuleGroup, folder: string) {
  return { orgId: 1, name: title, folder, interval: `${interval}s`, rules: rules!.map(ruleInFile) };
}

function ruleInFile(rule: Rule) {
  return {
    uid: rule.uid,
    title: rule.title,
    condition: rule.condition,
    for: rule.for,
    ...(rule.keep_firing_for === undefined ? {} : { keepFiringFor: rule.keep_firing_for }),
    noDataState: rule.noDataState,
    execErrState: rule.execErrState,
    labels: rule.labels,
    annotations: rule.annotations,
    data: rule.data,
  };
}
