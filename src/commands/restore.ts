import { LocalDays } from '../base/local-days.js';
import type { ArchivedDay } from '../history/archived-days.js';
import { dayOfPath } from '../volume/layout.js';
import type { Command } from './command.js';

export const restore: Command = {
  name: 'restore',
  summary:
    'writes what the archive has into an empty folder: --to FOLDER, --at TIME for an earlier point, --days N for sealed days of the last N days only',
  async run(argv) {
    const { onArchive } = await import('./archive-command.js');
    const { restoreInto } = await import('../archive/restore.js');
    const { nodeFiles } = await import('../volume/files.js');
    const options = { to: { type: 'string' }, at: { type: 'string' }, days: { type: 'string' } } as const;
    return onArchive(
      argv,
      options,
      ['to'],
      async ({ archive, point, localDates, signal, values, onProgress }) => {
        const comesAlong = youngerThan(values.days, localDates, Date.parse(point.at));
        const how = { files: nodeFiles, signal, onProgress, comesAlong };
        await restoreInto(archive, point, values.to as string, how);
        return 0;
      },
    );
  },
};

/** Whether a day is one of the last so many days at that time, in milliseconds since the epoch; without a number all are. */
function youngerThan(
  days: string | undefined,
  localDates: LocalDays,
  now: number,
): (day: ArchivedDay) => boolean {
  if (days === undefined) return () => true;
  const oldest = LocalDays.daysBefore(localDates.dateOf(now), Number(days));
  return ({ path }) => (dayOfPath(path)?.date ?? oldest) >= oldest;
}
