/** The values that mean something, once: panels change colour where alerts fire. */
export const limits = {
  /** CPU utilization in percent: worth a look, and an alert. */
  cpuHigh: 70,
  cpuAlert: 90,
  /** Bytes per second under which the network counts as silent. */
  networkSilent: 1,
  /** This many taxis without a destination are an alert. */
  unassignedTaxis: 1,
  /** Data this many intervals old is late (look) or stale (alert). */
  lateIntervals: 1.5,
  staleIntervals: 3,
  /** The same in seconds for what is read every 60 s, the longest interval of the fleet. */
  lateSeconds: 90,
  staleSeconds: 180,
} as const;
