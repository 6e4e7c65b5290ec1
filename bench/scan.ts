import { fileURLToPath } from 'node:url';
import { type PageServerOptions, startPageServer } from '../test/support/page-server.js';
import { alternate, type Benchmark, type Comparison, Contender, median, pairedRatio } from './harness.js';
import type { ScanRequest, ScanResult } from './scan-contender.js';

const ITEMS = 200_000;
const WARMUPS = 3;
const ROUNDS = 9;
const CONTENDER = fileURLToPath(new URL('./scan-contender.js', import.meta.url));
/** The page server does not check signatures, but the SDK needs credentials to create them. */
const ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

/** (a) of this project's goals: a large Scan in at most 0.3 of the time of the obvious implementation. */
export const scanBenchmark: Benchmark = {
  name: 'scan',
  about: `Scan to CSV of ${ITEMS} items against the document client and csv-stringify`,
  run: async () => {
    const [ours, plain] = await compete(['ours', 'plain'], {});
    return [
      { ...comparison('wall', 'ms', ours!, plain!), ...goal(ours!, plain!, 0.3) },
      comparison('cpu', 'ms', ours!, plain!),
      comparison('peakMemory', 'MB', ours!, plain!),
    ];
  },
};

/** (b) the same from a table that takes 20 ms for each page: parallel segments must pay off. */
export const scanLatencyBenchmark: Benchmark = {
  name: 'scan-latency',
  about: `the same with 20 ms latency per page, and against ours with a single segment`,
  run: async () => {
    const [ours, plain, single] = await compete(['ours', 'plain', 'one-segment'], { latency: 20 });
    return [
      {
        ...comparison('wall', 'ms', ours!, plain!),
        what: 'Scan with 20 ms a page, wall',
        ...goal(ours!, plain!, 0.3),
      },
      { ...comparison('wall', 'ms', ours!, single!), what: 'Scan with 20 ms a page, against one segment' },
    ];
  },
};

async function compete(
  names: readonly string[],
  options: Partial<PageServerOptions>,
): Promise<ScanResult[][]> {
  const server = await startPageServer({ items: ITEMS, ...options });
  const contenders = names.map(
    (name) => new Contender<ScanRequest, ScanResult>(CONTENDER, [name], { env: ENVIRONMENT }),
  );
  try {
    const asks = contenders.map((contender) => () => contender.ask(server));
    const results = await alternate(asks, { warmups: WARMUPS, rounds: ROUNDS });
    const counts = new Set(results.flat().map(({ rows }) => rows));
    if (counts.size !== 1 || !counts.has(ITEMS)) throw new Error(`Rows read: ${[...counts].join(', ')}`);
    return results;
  } finally {
    await Promise.all([...contenders.map((contender) => contender.stop()), server.close()]);
  }
}

type Measure = 'wall' | 'cpu' | 'peakMemory';

const TITLES: Record<Measure, string> = {
  wall: 'Scan to CSV, wall time',
  cpu: 'Scan to CSV, processor time',
  peakMemory: 'Scan to CSV, peak memory',
};

function comparison(
  measure: Measure,
  unit: 'ms' | 'MB',
  ours: readonly ScanResult[],
  others: readonly ScanResult[],
): Comparison {
  const values = (results: readonly ScanResult[]) => results.map((result) => result[measure]);
  const shown = (results: readonly ScanResult[]) => {
    const value = median(values(results));
    return `${Math.round(unit === 'MB' ? value / 1e6 : value)} ${unit}`;
  };
  return {
    what: TITLES[measure],
    ours: shown(ours),
    other: shown(others),
    ratio: pairedRatio(values(ours), values(others)),
    goal: null,
    reached: null,
  };
}

function goal(
  ours: readonly ScanResult[],
  others: readonly ScanResult[],
  limit: number,
): Pick<Comparison, 'goal' | 'reached'> {
  const ratio = pairedRatio(
    ours.map(({ wall }) => wall),
    others.map(({ wall }) => wall),
  );
  return { goal: `at most ${limit}`, reached: ratio <= limit };
}
