import { CPU_ALERT } from '../src/web/browser/fleet/limits.js';

/** The values that mean something, once: panels change colour where alerts fire. */
export const limits = {
  /** CPU utilization in percent: worth a look, and an alert. */
  cpuHigh: 70,
  cpuAlert: CPU_ALERT,
  /** Bytes per second under which the network counts as silent. */
  networkSilent: 1,
  /** This many taxis without a destination are an alert. */
  unassignedTaxis: 1,
  /** Data more than this many intervals old is stale. */
  staleIntervals: 3,
  /** Seconds that data may be behind the stream of its table. */
  streamLag: 60,
  /** An archive's last point more than this many of its intervals ago is old. */
  archiveIntervals: 5,
} as const;
