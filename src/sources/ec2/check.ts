import { decodeRow, rowAt } from '../../csv/decode.js';
import { pollsPerMonth } from '../billing.js';
import type { CheckContext, SourceCheck } from '../kind.js';
import { metricPrice } from './cost.js';
import { metricsPerPoll } from './measurements.js';
import type { InstancesConfig } from './options.js';
import { createInstancesSource } from './source.js';

/** `--check`: reads the instances once. Rejects with a `DynamoCsvError`, or with the signal's reason. */
export async function checkInstances(
  config: InstancesConfig,
  { clock, signal }: CheckContext,
): Promise<SourceCheck> {
  const source = createInstancesSource({ ...config, clock });
  try {
    const { rows, keys, problem = null } = await source.read({ known: [], signal });
    const found = Array.from(rows.ends, (_, index) => decodeRow(rowAt(rows, index)));
    const missing = found.flatMap(([id, , state]) => (state === 'missing' ? [id] : []));
    // As if all of them ran: then CloudWatch is asked for their metrics.
    const metrics = metricsPerPoll(found.length - missing.length);
    return {
      keys: keys.join(', '),
      items: found.length,
      bytes: null,
      unitsPerPoll: 0,
      pricePerMonth: metricPrice(metrics * pollsPerMonth(config.interval)),
      problem: problem?.line ?? notFound(found.length, missing),
      notice: null,
    };
  } finally {
    await source.close();
  }
}

function notFound(found: number, missing: readonly (string | null | undefined)[]): string | null {
  if (found === 0) return 'no instance matches; see ids, tags and regions under instances:';
  if (missing.length === 0) return null;
  return `there is no ${missing.join(', ')}; see ids and regions under instances:`;
}
