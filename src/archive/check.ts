import { Archive } from './archive.js';
import { LEASE_PRICE, monthlyPrice } from './cost.js';
import type { ObjectStore } from './objects.js';

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

/** Looks at an archive; writes nothing. Rejects as a request to it does. `every`: milliseconds. */
export async function checkArchive(objects: ObjectStore, every: number): Promise<ArchiveCheck> {
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
    notice: `last point at ${point.at}`,
  };
}
