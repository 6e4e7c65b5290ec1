import type { Closing } from '../base/closing.js';
import { CAPACITY_SHARE } from '../budget/budget.js';
import type { Polling } from '../collect/polling.js';
import { OWN_NAMES } from '../config/published-names.js';
import type { Dataset } from '../datasets/dataset.js';
import { Discovery, type DiscoveryHost } from '../discovery/discovery.js';
import { FoundTables } from '../discovery/found-tables.js';
import type { Sealing } from '../history/sealing.js';
import { TableList } from '../sources/dynamodb/table-list.js';
import type { OpenSources } from '../sources/index.js';
import type { Files } from '../volume/files.js';
import { discoveredFile } from '../volume/layout.js';
import type { Budgets } from './budgets.js';
import { type Collected, openSource, type Polled, startPolling } from './polled.js';
import type { Service } from './service.js';

/** What sources that come and go are added to. */
interface Running {
  readonly polled: Polled[];
  readonly polling: Polling;
  readonly sealing: Sealing;
  readonly sources: OpenSources;
  readonly budgets: Budgets;
}

/** Opens, polls and stops tables that are found while the service runs. */
export function discoveryHost(running: Running, collected: Collected): DiscoveryHost {
  const { polled, polling, sealing, sources, budgets } = running;
  const { registry, published, clock } = collected.service;
  const offsets = new Map<string, number>();
  const byName = (name: string) => {
    const found = polled.find(({ collector }) => collector.name === name);
    if (found === undefined) throw new TypeError(`no source is called "${name}"`);
    return found;
  };
  return {
    isTaken: (name) => {
      const lower = name.toLowerCase();
      const others = registry.list().filter((dataset) => !published.has(dataset));
      const recorded = polled.flatMap(({ collector }) => collector.recorder.datasets);
      const isNamed = (dataset: Dataset) => dataset.name.toLowerCase() === lower;
      return OWN_NAMES.has(lower) || others.some(isNamed) || recorded.some(isNamed);
    },
    async open(configured) {
      const source = await sources.open(configured, { capacityShare: CAPACITY_SHARE });
      const { name } = source.recording;
      const one = await openSource(source, () => offsets.get(name) ?? 0, budgets.found, collected);
      polled.push(one);
      published.show(one.collector.recorder.datasets);
    },
    poll(name, expectation, offset) {
      const one = byName(name);
      offsets.set(name, offset);
      one.budget.rejoin(one.pace);
      if (expectation !== null) one.pace.expects(expectation);
      one.collector.health.lastError = null;
      startPolling(one, polling, sealing);
    },
    async stop(name, { code, line }) {
      const one = byName(name);
      await polling.remove(one.collector);
      await sealing.remove(one.collector);
      one.budget.leave(one.pace);
      const { health } = one.collector;
      health.interval = null;
      health.lastError = { code, message: line, at: clock.now() };
    },
    settle: () => budgets.found.settle(true),
  };
}

/** Serves the tables that were found earlier. Null: the configuration has none found. */
export async function openDiscovery(
  host: DiscoveryHost,
  { config, clock, logger }: Service,
  files: Files,
  closing: Closing,
): Promise<Discovery | null> {
  const { discover, dataDir } = config;
  if (discover === null) return null;
  const foundPath = discoveredFile(dataDir);
  const list = new TableList({ region: discover.region, capacityShare: CAPACITY_SHARE });
  closing.add(async () => list.close());
  const discovery = new Discovery({
    config: discover,
    named: new Set(config.tables.map(({ table }) => table)),
    list,
    found: await FoundTables.open(foundPath, files, logger),
    foundPath,
    host,
    clock,
    logger,
  });
  await discovery.restore();
  return discovery;
}
