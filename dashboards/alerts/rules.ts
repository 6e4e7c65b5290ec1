import { type RuleGroup, RuleGroupBuilder } from '@grafana/grafana-foundation-sdk/alerting';
import { type AlertSpec, rule } from '../../src/dashboards/alert.js';
import type { Flavour } from '../../src/dashboards/flavour.js';
import { collector, panelIds as collectorPanels } from '../collector.js';
import { fleetNow, panelIds as nowPanels } from '../fleet-now.js';
import { limits } from '../limits.js';
import { read } from '../reading.js';

/**
 * `known` where there is a value for which the rule fires, else `unknown`: `$values.A` is absent when the service did not
 * answer, and a rule that goes on firing for a while has seen a good value, or NaN.
 */
const value = (isFiring: string, known: string, unknown: string) =>
  `{{ if $values.A }}{{ if ${isFiring} }}${known}{{ else }}${unknown}{{ end }}{{ else }}${unknown}{{ end }}`;
/** The bound stands first: to a template NaN is not less than anything, and so `ge` and `gt` of it hold. */
const beyond = (operator: 'le' | 'lt', bound: number) => `${operator} ${bound.toFixed(1)} $values.A.Value`;
const number = (format: string) => `{{ printf "${format}" $values.A.Value }}`;
const server =
  '{{ if $labels.name }}{{ $labels.name }}{{ else }}{{ if $labels.instance_id }}{{ $labels.instance_id }}{{ else }}the API server{{ end }}{{ end }}';
const dataset = '{{ if $labels.dataset }}{{ $labels.dataset }}{{ else }}A dataset{{ end }}';

type FleetAlert = AlertSpec & {
  readonly team: 'platform' | 'dispatch';
};

export const alerts: readonly FleetAlert[] = [
  {
    uid: 'api-server-cpu',
    title: 'API server CPU is high',
    reading: read('api-server-cpu', ['instance_id', 'name', 'cpu_utilization']),
    when: ['gte', limits.cpuAlert],
    // Each measurement is already the mean of one to five minutes.
    for: '1m',
    keepFiringFor: '2m',
    severity: 'warning',
    team: 'platform',
    summary: `CPU of ${server} is ${value(beyond('le', limits.cpuAlert), `at ${number('%.0f')} %`, `at ${limits.cpuAlert} % or more`)}`,
    resolved: `CPU of ${server} is back to normal`,
    description:
      'Dispatching slows down from here on. Look for a runaway process, then consider a larger instance.',
    panel: [fleetNow.uid, nowPanels.cpu],
    onSilence: 'KeepLast',
  },
  {
    uid: 'api-server-network-in',
    title: 'API server receives nothing',
    reading: read('api-server-network-in', ['instance_id', 'name', 'network_in']),
    when: ['lte', 0],
    for: '1m',
    severity: 'critical',
    team: 'platform',
    summary: `Network in of ${server} is 0`,
    resolved: `Network in of ${server} is above 0 again`,
    description:
      'It is running, but no request reaches it. Check the load balancer, the security group and the route.',
    panel: [fleetNow.uid, nowPanels.networkIn],
    onSilence: 'KeepLast',
  },
  {
    uid: 'api-server-network-out',
    title: 'API server sends nothing',
    reading: read('api-server-network-out', ['instance_id', 'name', 'network_out']),
    when: ['lte', 0],
    for: '1m',
    severity: 'critical',
    team: 'platform',
    summary: `Network out of ${server} is 0`,
    resolved: `Network out of ${server} is above 0 again`,
    description: 'It is running, but sends no answer. Check the process and its network interface.',
    panel: [fleetNow.uid, nowPanels.networkOut],
    onSilence: 'KeepLast',
  },
  {
    uid: 'api-server-not-running',
    title: 'API server is not running',
    reading: read('api-server-not-running', ['instance_id', 'name', 'not_running']),
    when: ['gte', 1],
    for: '1m',
    severity: 'critical',
    team: 'platform',
    summary: `${server} is not running`,
    resolved: `${server} is running again, or no longer exists`,
    description: 'No taxi is dispatched until it is back. Start the instance, then find out why it stopped.',
    panel: [fleetNow.uid, nowPanels.state],
    onSilence: 'KeepLast',
  },
  {
    uid: 'api-server-no-measurement',
    title: 'API server is not measured',
    reading: read('api-server-no-measurement', ['instance_id', 'name', 'no_measurement']),
    when: ['gte', 1],
    for: '10m',
    severity: 'warning',
    team: 'platform',
    summary: `No measurement of ${server} for ten minutes`,
    resolved: `${server} is measured again, or is not running`,
    description:
      'It is running, but CloudWatch returns no data for it: the CPU and network alerts cannot fire. Check CloudWatch and the permission cloudwatch:GetMetricData.',
    panel: [fleetNow.uid, nowPanels.cpu],
    onSilence: 'KeepLast',
  },
  {
    uid: 'unassigned-taxis',
    title: 'Taxis are unassigned',
    reading: read('unassigned-taxis-count', ['unassigned']),
    when: ['gte', limits.unassignedTaxis],
    for: '1m',
    keepFiringFor: '2m',
    severity: 'warning',
    team: 'dispatch',
    summary: value(
      beyond('le', limits.unassignedTaxis),
      `{{ if eq $values.A.Value 1.0 }}1 taxi has{{ else }}${number('%.0f')} taxis have{{ end }} no destination`,
      'Taxis have no destination',
    ),
    resolved: 'Every taxi has a destination again',
    description:
      'Their numbers are in the panel “Which taxis”. Send them to a zone, or find out why the dispatcher does not.',
    panel: [fleetNow.uid, nowPanels.unassigned],
    onSilence: 'KeepLast',
  },
  {
    uid: 'stale-data',
    title: 'Data is old',
    reading: read('collector', ['dataset', 'age_intervals']),
    when: ['gt', limits.staleIntervals],
    for: '1m',
    severity: 'warning',
    team: 'platform',
    summary: `${dataset} has not been read for ${value(beyond('lt', limits.staleIntervals), `${number('%.0f')} polling intervals`, `more than ${limits.staleIntervals} polling intervals`)}`,
    resolved: `${dataset} is up to date again`,
    description: 'Its panels and alerts use old data. The reason is in the column “Last error”.',
    panel: [collector.uid, collectorPanels.datasets],
    onSilence: 'KeepLast',
  },
  {
    uid: 'stream-lag',
    title: 'Data is behind its stream',
    reading: read('collector', ['dataset', 'stream_lag_seconds']),
    when: ['gt', limits.streamLag],
    for: '1m',
    severity: 'warning',
    team: 'platform',
    summary: `${dataset} is ${value(beyond('lt', limits.streamLag), `${number('%.0f')} seconds`, `more than ${limits.streamLag} seconds`)} behind the stream of its table`,
    resolved: `${dataset} has caught up with its stream`,
    description:
      'Its panels and alerts use old data. Either the stream cannot be read, for the reason in the column “Last error”, or there are more changes than the service keeps up with.',
    panel: [collector.uid, collectorPanels.datasets],
    onSilence: 'KeepLast',
  },
  {
    uid: 'archive-age',
    title: 'Archive is old',
    // The same in every row; absent without an archive.
    reading: read('collector', ['archive_age_intervals'], { limit: '1' }),
    when: ['gt', limits.archiveIntervals],
    for: '5m',
    severity: 'warning',
    team: 'platform',
    summary: `The archive has nothing of the last ${value(beyond('lt', limits.archiveIntervals), `${number('%.0f')} of its intervals`, `${limits.archiveIntervals} of its intervals or more`)}`,
    resolved: 'The archive has everything again',
    description:
      'What is newer would be lost with the disk. The reason is in /healthz, at “archive”; uploads continue by themselves.',
    panel: [collector.uid, collectorPanels.datasets],
    onSilence: 'KeepLast',
  },
  {
    uid: 'missing-days',
    title: 'Days cannot be read',
    reading: read('collector', ['dataset', 'missing_days']),
    when: ['gte', 1],
    for: '1m',
    severity: 'warning',
    team: 'platform',
    summary: `${value(beyond('le', 1), `{{ if eq $values.A.Value 1.0 }}1 sealed day of ${dataset} cannot be read{{ else }}${number('%.0f')} sealed days of ${dataset} cannot be read{{ end }}`, `Sealed days of ${dataset} cannot be read`)}`,
    resolved: `All sealed days of ${dataset} can be read again`,
    description:
      'Their files are damaged or gone, or the archive has lost them: what needs them fails, the rest answers. Which days, and why, is on the page of the dataset and in /datasets, at “missingDays”. Restore the object from a version of the bucket, or the file from a backup.',
    panel: [collector.uid, collectorPanels.datasets],
    onSilence: 'KeepLast',
  },
  {
    uid: 'service-silent',
    title: 'dynamo-csv does not answer',
    // Its value never fires: what counts is that there is one.
    reading: read('collector', ['failures'], { limit: '1' }),
    when: ['lt', 0],
    for: '2m',
    severity: 'critical',
    team: 'platform',
    summary: 'dynamo-csv does not answer Grafana',
    resolved: 'dynamo-csv answers Grafana again',
    description:
      'Panels are empty, and every other alert keeps its last state. Run docker compose ps and docker compose logs dynamo-csv.',
    panel: [collector.uid, collectorPanels.datasets],
    onSilence: 'Alerting',
  },
];

/** Rules that were provisioned once: leaving one out of the file would leave it in Grafana. */
export const retiredRules: readonly string[] = [];

export const folder = 'Fleet alerts';

/** All rules, in the form of Grafana's HTTP API. */
export function ruleGroup(flavour: Flavour): RuleGroup {
  return new RuleGroupBuilder('fleet')
    .folderUid(folder)
    .interval(30)
    .rules(alerts.map((alert) => rule(alert, flavour)))
    .build();
}
