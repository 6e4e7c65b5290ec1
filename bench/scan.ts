import { fileURLToPath } from 'node:url';
import { type PageServer, type PageServerOptions, startPageServer } from '../test/support/page-server.js';
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

/** (a) of this project's goals: a large Scan in at most a quarter of the time of the obvious implementation. */
export const scanBenchmark: Benchmark = {
  name: 'scan',
  about: `Scan to CSV of ${ITEMS} items against the document client and csv-stringify`,
  run: async () => {
    const [ours, plain] = await compete(['ours', 'plain'], {});
    return [
      { ...comparison('wall', 'ms', ours!, plain!), ...goal(ours!, plain!, 0.25) },
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

/** The same in processes that were just started: threads and code are loaded meanwhile. */
export const firstScanBenchmark: Benchmark = {
  name: 'scan-first',
  about: `the first Scan of ${ITEMS} items in a fresh process, against the document client and csv-stringify`,
  run: async () => {
    const server = await startPageServer({ items: ITEMS });
    try {
      const asks = ['ours', 'plain'].map((name) => () => askOnce(name, server));
      const [ours, plain] = await alternate(asks, { warmups: 1, rounds: 5 });
      const what = 'first Scan of a process, wall time';
      return [{ ...comparison('wall', 'ms', ours!, plain!), what, ...goal(ours!, plain!, 0.35) }];
    } finally {
      await server.close();
    }
  },
};

async function askOnce(
  name: string,
  server: PageServer,
  execArgv: readonly string[] = [],
): Promise<ScanResult> {
  const contender = new Contender<ScanRequest, ScanResult>(CONTENDER, [name], {
    env: ENVIRONMENT,
    execArgv: [...execArgv],
  });
  try {
    return await contender.ask(server);
  } finally {
    await contender.stop();
  }
}

/** Polls of one kind, one after the other. */
const TOGETHER = 6;

/** What did not change costs little: whole polls, from DynamoDB to the volume. */
export const pollBenchmark: Benchmark = {
  name: 'polls',
  about: `polls of ${ITEMS} items into a snapshot, against polls in which every item changed`,
  run: async () => {
    const server = await startPageServer({ items: ITEMS });
    const contender = new Contender<ScanRequest, ScanResult>(CONTENDER, ['recorded'], { env: ENVIRONMENT });
    try {
      const poll = async (share: number) => {
        await server.change(share);
        return contender.ask(server);
      };
      const asks = [0, 0.01, 1].map((share) => async () => {
        // Garbage is collected every few polls: those of one kind together pay for their own, and not for others'.
        await poll(share);
        const polls: ScanResult[] = [];
        while (polls.length < TOGETHER) polls.push(await poll(share));
        return { ...polls[0]!, cpu: polls.reduce((sum, { cpu }) => sum + cpu, 0) / TOGETHER };
      });
      const [unchanged, few, all] = await alternate(asks, { warmups: 1, rounds: 5 });
      return [
        processor('poll in which nothing changed, processor', unchanged!, all!, 0.15),
        processor('poll in which 1 % of the items changed, processor', few!, all!, 0.5),
      ];
    } finally {
      await Promise.all([contender.stop(), server.close()]);
    }
  },
};

/** Many attributes are no wall: 4,000 over 80 items against the same 50 in each, in as many bytes. */
export const wideBenchmark: Benchmark = {
  name: 'wide',
  about: 'polls of 80 items with 4,000 attributes, against 80 items with 50 attributes',
  run: async () => {
    const servers = await Promise.all(
      (['own', 'common'] as const).map((attributes) => startPageServer({ items: 80, attributes })),
    );
    const contenders = servers.map(
      () => new Contender<ScanRequest, ScanResult>(CONTENDER, ['recorded'], { env: ENVIRONMENT }),
    );
    try {
      const first = await Promise.all(servers.map((server) => askOnce('recorded', server)));
      const asks = contenders.map((contender, index) => () => contender.ask(servers[index]!));
      const [own, common] = await alternate(asks, { warmups: 3, rounds: 15 });
      return [
        processor('first poll of 4,000 attributes, processor', [first[0]!], [first[1]!], 3),
        processor('later poll of 4,000 attributes, processor', own!, common!, 3),
      ];
    } finally {
      await Promise.all([...contenders, ...servers].map((one) => ('stop' in one ? one.stop() : one.close())));
    }
  },
};

function processor(
  what: string,
  ours: readonly ScanResult[],
  others: readonly ScanResult[],
  limit: number,
): Comparison {
  const line = comparison('cpu', 'ms', ours, others);
  return { ...line, what, goal: `at most ${limit}`, reached: (line.ratio ?? 0) <= limit };
}

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
