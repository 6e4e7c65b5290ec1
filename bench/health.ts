/** `/healthz` while a benchmark runs, beside a bare `node:http` that waits for the same processors. */
import { fileURLToPath } from 'node:url';
import type { BareServerResult } from './bare-server.js';
import { type Comparison, Contender, median } from './harness.js';
import type { HealthRequest, HealthResult } from './health-watcher.js';

const BARE = fileURLToPath(new URL('./bare-server.js', import.meta.url));
const WATCHER = fileURLToPath(new URL('./health-watcher.js', import.meta.url));
/** Milliseconds that `/healthz` may take on an idle machine. */
const MOST = 50;
/** Times that it may take as long as the bare server beside it. */
const MOST_TIMES = 3;

/** A bare server in a process of its own. */
export async function startBare(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const contender = new Contender<object, BareServerResult>(BARE, []);
  const { port } = await contender.ask({});
  return { url: `http://127.0.0.1:${port}`, stop: () => contender.stop() };
}

/** Runs `work` and compares the worst `/healthz` of the service meanwhile with the worst answer of a bare server. */
export async function watchingHealth<T>(
  service: string,
  during: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly line: Comparison }> {
  const bare = await startBare();
  const watcher = new Contender<HealthRequest, HealthResult | null>(WATCHER, []);
  try {
    await watcher.ask({ service, bare: bare.url });
    const result = await work();
    const found = (await watcher.ask('end'))!;
    return { result, line: compared(during, found) };
  } finally {
    await watcher.stop();
    await bare.stop();
  }
}

function compared(during: string, { service, bare }: HealthResult): Comparison {
  const worst = { service: Math.max(...service), bare: Math.max(...bare) };
  const shown = (values: readonly number[]) =>
    `${median(values).toFixed(1)}, at most ${Math.max(...values).toFixed(1)} ms`;
  return {
    what: `/healthz during ${during}, against a bare node:http`,
    ours: shown(service),
    other: shown(bare),
    ratio: worst.service / worst.bare,
    goal: `worst under ${MOST} ms, or ${MOST_TIMES} times the bare one's`,
    reached: worst.service <= Math.max(MOST, MOST_TIMES * worst.bare),
  };
}
