/** Requests `/healthz` of a service and of a bare server in turns, in a process of its own that does nothing else. */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { serveRequests } from './harness.js';

/** The first request starts, the second ends. */
export type HealthRequest = { readonly service: string; readonly bare: string } | 'end';

export interface HealthResult {
  /** Milliseconds of each request. */
  readonly service: readonly number[];
  readonly bare: readonly number[];
}

const EVERY = 20;
const WARMUPS = 20;

const agent = new Agent({ keepAlive: true });
let isEnding = false;
let watching: Promise<HealthResult> | null = null;

serveRequests<HealthRequest, HealthResult | null>(async (request) => {
  if (request === 'end') {
    isEnding = true;
    return watching;
  }
  for (let round = 0; round < WARMUPS; round += 1) await probe(request);
  isEnding = false;
  watching = watch(request);
  return null;
});

async function watch(urls: Exclude<HealthRequest, 'end'>): Promise<HealthResult> {
  const service: number[] = [];
  const bare: number[] = [];
  while (!isEnding) {
    const probed = await probe(urls);
    service.push(probed.service);
    bare.push(probed.bare);
    await delay(EVERY);
  }
  return { service, bare };
}

async function probe({ service, bare }: Exclude<HealthRequest, 'end'>) {
  return { service: await took(`${service}/healthz`), bare: await took(bare) };
}

async function took(url: string): Promise<number> {
  const before = performance.now();
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return performance.now() - before;
}
