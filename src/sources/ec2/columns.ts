import type { Column } from '../../csv/rows.js';

/** What identifies an instance's row. */
export const INSTANCE_KEYS = ['instance_id'] as const;

/**
 * The columns of the API server's dataset. They are all there from the first poll on, with their types, whether or not
 * a value was seen: a panel of a server that never ran is empty, not broken.
 */
export const INSTANCE_COLUMNS: readonly Column[] = [
  { name: 'instance_id', type: 'string', seen: true },
  /** The tag `Name`. */
  { name: 'name', type: 'string', seen: true },
  /** EC2's own words; `missing`: no such instance; `unknown`: its region could not be read. */
  { name: 'state', type: 'string', seen: true },
  /** 1 or 0; nothing while the state is unknown. */
  { name: 'running', type: 'number', seen: true },
  /** The worst of EC2's status checks: `ok`, `impaired`, …; nothing unless it runs. */
  { name: 'status_checks', type: 'string', seen: true },
  /** Percent, average of one period. */
  { name: 'cpu_utilization', type: 'number', seen: true },
  /** Bytes per second, average of one period. */
  { name: 'network_in', type: 'number', seen: true },
  { name: 'network_out', type: 'number', seen: true },
  /** Start of the latest period that was measured. */
  { name: 'measured_at', type: 'time', seen: true },
];
