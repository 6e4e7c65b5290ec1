import { tryStatusChecks } from './instances.js';
import { readMeasurements } from './measurements.js';
import { closeRegion, openRegion } from './region.js';

/** An id that no instance has. */
const NOBODY = {
  id: 'i-00000000000000000',
  name: null,
  state: 'running',
  period: 300_000,
  statusChecks: null,
};

/**
 * Makes the calls of a region that a poll makes only while an instance runs, so that a denied one is found beforehand.
 * CloudWatch bills three metrics for it. Rejects with a `DynamoCsvError`, or with the signal's reason.
 */
export async function tryCalls(name: string | null, now: number, signal: AbortSignal): Promise<void> {
  const region = openRegion(name);
  const call = { region: name, meter: region.meter, signal };
  try {
    await tryStatusChecks({ ...call, client: region.ec2 });
    await readMeasurements({ ...call, client: region.cloudWatch, now }, [NOBODY]);
  } finally {
    closeRegion(region);
  }
}
