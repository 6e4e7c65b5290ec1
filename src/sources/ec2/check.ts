import { DynamoCsvError } from '../../base/errors.js';
import { decodeRow, rowAt } from '../../csv/decode.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { metricPrice } from './cost.js';
import { metricsPerPoll } from './measurements.js';
import type { InstancesConfig } from './options.js';
import { regionsOf } from './region.js';
import { createInstancesSource } from './source.js';
import { tryCalls } from './try-calls.js';

/** `--check`: reads the instances once, making each call, also those of a poll in which no instance runs. Rejects with a `DynamoCsvError`, or with the signal's reason. */
export async function checkInstances(
  config: InstancesConfig,
  { clock, signal }: CheckContext,
): Promise<SourceCheck> {
  const source = createInstancesSource({ ...config, clock });
  try {
    const { rows, keys, problem = null } = await source.read({ known: [], signal });
    const found = Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index)));
    const missing = found.flatMap(([id, , state]) => (state === 'missing' ? [id] : []));
    const isRunning = found.some(([, , state]) => state === 'running');
    const denied = isRunning || problem !== null ? null : await deniedCall(config, clock.now(), signal);
    // As if all of them ran: then CloudWatch is asked for their metrics.
    const metrics = metricsPerPoll(found.length - missing.length);
    return {
      keys: keys.join(', '),
      items: found.length,
      bytes: null,
      unitsPerPoll: 0,
      pricePerMonth: metricPrice(metrics * pollsPerMonth(config.interval)),
      problem: problem?.line ?? denied?.line ?? notFound(found.length, missing),
      notice: null,
    };
  } finally {
    await source.close();
  }
}

/** What is wrong with the calls that the reading did not make; null: nothing. */
async function deniedCall(
  { regions }: InstancesConfig,
  now: number,
  signal: AbortSignal,
): Promise<DynamoCsvError | null> {
  try {
    for (const region of regionsOf(regions)) await tryCalls(region, now, signal);
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DynamoCsvError) return error;
    throw error;
  }
}

function notFound(found: number, missing: readonly (string | null | undefined)[]): string | null {
  if (found === 0) return 'no instance matches; see ids, tags and regions under instances:';
  if (missing.length === 0) return null;
  return `there is no ${missing.join(', ')}; see ids and regions under instances:`;
}
