import { LocalDays } from '../base/local-days.js';
import { formatBytes } from '../base/sizes.js';
import { dayOfPath } from '../volume/layout.js';
import { Archive } from './archive.js';
import { FETCHING_PRICE, LEASE_PRICE, monthlyPrice } from './cost.js';
import type { ObjectStore } from './objects.js';
import type { ArchiveSettings } from './options.js';
import type { Point } from './point.js';

/** What `--check` says about an archive. */
export interface ArchiveCheck {
  /** Files in the last point; null: there is none yet. */
  readonly files: number | null;
  /** Their bytes, not compressed. */
  readonly bytes: number | null;
  /** USD. */
  readonly pricePerMonth: number;
  readonly notice: string | null;
}

/** Looks at an archive; writes nothing. Rejects as a request to it does. `today`: the local day, `2026-11-24`. */
export async function checkArchive(
  objects: ObjectStore,
  { every, localDays }: Pick<ArchiveSettings, 'every' | 'localDays'>,
  today: string,
): Promise<ArchiveCheck> {
  const archive = await Archive.find(objects);
  const point = (await archive?.latest()) ?? null;
  if (point === null) {
    return {
      files: null,
      bytes: null,
      pricePerMonth: LEASE_PRICE,
      notice: 'reachable; nothing archived yet',
    };
  }
  const all = [...point.files, ...point.days];
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  return {
    files: all.length,
    bytes,
    pricePerMonth: monthlyPrice(every, point.files.length, bytes),
    notice: `last point at ${point.at}${localDays === null ? '' : archivedOnly(point, LocalDays.daysBefore(today, localDays))}`,
  };
}

/** What the days before that one cost, which are in the archive only. */
function archivedOnly({ days }: Point, oldest: string): string {
  const old = days.filter(({ path }) => (dayOfPath(path)?.date ?? oldest) < oldest);
  if (old.length === 0) return '; no sealed day is older than localDays yet';
  const bytes = old.reduce((sum, { size }) => sum + size, 0);
  const what = `${old.length} sealed ${old.length === 1 ? 'day is' : 'days are'} older than localDays (${formatBytes(bytes)})`;
  return `; ${what}: ${FETCHING_PRICE}`;
}
