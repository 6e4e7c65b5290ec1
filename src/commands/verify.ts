import { describeError } from '../base/errors.js';
import type { Command } from './command.js';

export const verify: Command = {
  name: 'verify',
  summary:
    'fetches everything that the archive has and compares it with its hashes: --at TIME for an earlier point',
  async run(argv) {
    const { onArchive } = await import('./archive-command.js');
    const { verifyPoint } = await import('../archive/verify.js');
    return onArchive(argv, { at: { type: 'string' } }, [], async ({ archive, point, signal, onProgress }) => {
      const errors = await verifyPoint(archive, point, { signal, onProgress });
      for (const error of errors) console.error(describeError(error));
      const files = point.files.length + point.days.length;
      console.log(
        errors.length === 0
          ? `${files} files are as they were archived`
          : `${errors.length} of ${files} files ${errors.length === 1 ? 'is' : 'are'} not as archived`,
      );
      return errors.length === 0 ? 0 : 1;
    });
  },
};
