import type { MistakeReport } from '../../options/mistakes.js';
import { checkKeeping } from '../keeping.js';
import type { ConfiguredSource, OpenedSource, SourceContext, SourceKind } from '../kind.js';
import { metricPrice } from './cost.js';
import { type InstancesConfig, InstancesOptions, instancesConfig } from './options.js';
import { instancesTitle } from './title.js';

/** EC2 instances with their CloudWatch metrics: `instances` in the configuration file. */
export const instances = {
  key: 'instances',
  schema: InstancesOptions,
  settings: (options) => (options === undefined ? null : instancesConfig(options)),
  checkAgreement(options, report) {
    if (options === undefined) return;
    checkSelection(options, report);
    checkKeeping(instancesConfig(options), ['instances'], report);
  },
  configure: (settings) => (settings === null ? [] : [configuredInstances(settings)]),
} as const satisfies SourceKind<'instances', InstancesOptions, InstancesConfig | null>;

function checkSelection({ ids = [], tags = {} }: InstancesOptions, report: MistakeReport): void {
  if (ids.length > 0 || Object.keys(tags).length > 0) return;
  if (report.isWrong(['instances', 'ids']) || report.isWrong(['instances', 'tags'])) return;
  report.add({
    path: ['instances'],
    wrong: 'no instance is named',
    remedy: 'name some by ids: [i-0123456789abcdef0] or by tags: { Role: dispatch-api }',
  });
}

function configuredInstances(config: InstancesConfig): ConfiguredSource {
  const { name, interval } = config;
  const path = ['instances', 'as'];
  const logName = `${name}-log`;
  return {
    title: instancesTitle(config),
    label: 'instances',
    interval,
    recording: { name, log: true, logName, changes: false, configured: [], timestampColumn: null },
    keeping: config,
    published: [
      { name, by: 'instances', path, derived: false },
      { name: logName, by: 'the log of instances', path, derived: true },
    ],
    consumesReadUnits: false,
    pythonScript: null,
    open: (context) => open(config, context),
    async check(context) {
      const { checkInstances } = await import('./check.js');
      return checkInstances(config, context);
    },
  };
}

/** The SDK's EC2 client alone takes 70 MB: it is loaded only where instances are configured. */
async function open(config: InstancesConfig, { clock }: SourceContext): Promise<OpenedSource> {
  const { createInstancesSource } = await import('./source.js');
  const source = createInstancesSource({ ...config, clock });
  return { source, price: ({ metricsRequested }) => metricPrice(metricsRequested) };
}
