import { Gauge, type Registry } from 'prom-client';
import type { RoleStatus } from '../http/options.js';

/** Registers the metrics of who collects; call it once per registry. */
export function createRoleMetrics(registry: Registry, status: () => RoleStatus): void {
  const registers = [registry];
  new Gauge({
    name: 'dynamo_csv_role',
    help: 'Which role the service has: 1 for that one, 0 for the other.',
    labelNames: ['role'],
    registers,
    collect() {
      for (const role of ['collect', 'follow']) this.set({ role }, status().role === role ? 1 : 0);
    },
  });
  new Gauge({
    name: 'dynamo_csv_behind_seconds',
    help: 'Seconds by which its data is behind that of the service that collects: 0 for that one itself, NaN if unknown.',
    registers,
    collect() {
      const { behind } = status();
      this.set(behind === null ? Number.NaN : behind / 1_000);
    },
  });
}
