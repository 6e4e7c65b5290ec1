import { describeError } from '../base/errors.js';
import type { ArchivedDay } from '../history/archived-days.js';
import type { Command } from './command.js';

export const verify: Command = {
  name: 'verify',
  summary:
    'fetches everything that the archive has, compares it with its hashes and reads every sealed day: --at TIME for an earlier point',
  async run(argv) {
    const { onArchive } = await import('./archive-command.js');
    const { objectDamaged } = await import('../archive/errors.js');
    const { verifyPoint } = await import('../archive/verify.js');
    const { WholeFiles } = await import('../sql/whole-files.js');
    return onArchive(argv, { at: { type: 'string' } }, [], async ({ archive, point, signal, onProgress }) => {
      const days = await WholeFiles.open();
      try {
        let rows = 0;
        // Its hash says that a day is as it was sent, not that it was whole then.
        const onDay = async (day: ArchivedDay, bytes: Buffer) => {
          const place = archive.location + day.path;
          const found = await days.read(bytes);
          if ('damage' in found) throw objectDamaged(place, `it cannot be read: ${found.damage}`);
          const { rows: archived = found.rows } = day;
          if (archived !== found.rows)
            throw objectDamaged(place, `it has ${found.rows} rows, and had ${archived} when it was archived`);
          rows += found.rows;
        };
        const errors = await verifyPoint(archive, point, { signal, onDay, onProgress });
        for (const error of errors) console.error(describeError(error));
        const files = point.files.length + point.days.length;
        const read = `, and all ${rows.toLocaleString('en')} rows of ${point.days.length} sealed days can be read`;
        console.log(
          errors.length === 0
            ? `${files} files are as they were archived${point.days.length === 0 ? '' : read}`
            : `${errors.length} of ${files} files ${errors.length === 1 ? 'is' : 'are'} not as archived, or cannot be read`,
        );
        return errors.length === 0 ? 0 : 1;
      } finally {
        await days.close();
      }
    });
  },
};
