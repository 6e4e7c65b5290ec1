import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../base/clock.js';
import type { ArchiveStatus, CopiedDays } from './keeper.js';

/** Registers the metrics of an archive; call it once per registry. `archive`: null while this service does not write to it. */
export function createArchiveMetrics(
  registry: Registry,
  status: () => { readonly archive: ArchiveStatus | null; readonly copied: CopiedDays },
  clock: Clock,
): void {
  const registers = [registry];
  new Gauge({
    name: 'dynamo_csv_archive_age_seconds',
    help: 'Seconds since the archive was last known to have everything; NaN if it never was.',
    registers,
    collect() {
      const archivedAt = status().archive?.archivedAt ?? null;
      this.set(archivedAt === null ? Number.NaN : (clock.now() - archivedAt) / 1_000);
    },
  });
  new Gauge({
    name: 'dynamo_csv_archive_sent_bytes',
    help: 'Bytes sent to the archive since the service started.',
    registers,
    collect() {
      this.set(status().archive?.bytes ?? 0);
    },
  });
  new Gauge({
    name: 'dynamo_csv_archive_fetched_bytes',
    help: 'Bytes of archived days fetched since the service started.',
    registers,
    collect() {
      this.set(status().copied.fetched);
    },
  });
  new Gauge({
    name: 'dynamo_csv_archive_cache_bytes',
    help: 'Bytes of archived days that are on this machine now, and fetched again when they are needed.',
    registers,
    collect() {
      this.set(status().copied.cached);
    },
  });
  new Gauge({
    name: 'dynamo_csv_archive_lost_days',
    help: 'Archived days that the archive did not have as they were written when they were needed.',
    registers,
    collect() {
      this.set(status().copied.lost.length);
    },
  });
}
