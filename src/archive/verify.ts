import { DynamoCsvError } from '../base/errors.js';
import { type ArchivedDay, unpackDays } from '../history/archived-days.js';
import type { Archive } from './archive.js';
import type { Point } from './point.js';
import { fetchDay, type RestoreProgress } from './restore.js';

/**
 * Fetches everything that a point names and compares it with its hashes. Resolves to the errors (`ARCHIVE_DAMAGED`);
 * rejects if the archive does not answer. `onDay`: looks into a sealed day's file; what it throws is an error as well.
 */
export async function verifyPoint(
  archive: Archive,
  point: Point,
  {
    signal,
    onDay,
    onProgress,
  }: {
    readonly signal: AbortSignal;
    readonly onDay?: (day: ArchivedDay, bytes: Buffer) => Promise<void>;
    readonly onProgress?: (progress: RestoreProgress) => void;
  },
): Promise<readonly DynamoCsvError[]> {
  const errors: DynamoCsvError[] = [];
  const seen = new Set<string>();
  const all = [...point.files, ...unpackDays(point)];
  const bytesOfAll = all.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  for (const [index, one] of all.entries()) {
    signal.throwIfAborted();
    try {
      if ('parts' in one) {
        for (const part of one.parts) {
          if (!seen.has(part.hash)) await archive.part(part);
          seen.add(part.hash);
        }
      } else {
        const bytes = await fetchDay(archive.objects, one);
        await onDay?.(one, bytes);
      }
    } catch (error) {
      if (!(error instanceof DynamoCsvError) || error.code !== 'ARCHIVE_DAMAGED') throw error;
      errors.push(error);
    }
    bytes += one.size;
    onProgress?.({ files: index + 1, filesOfAll: all.length, bytes, bytesOfAll });
  }
  return errors;
}
