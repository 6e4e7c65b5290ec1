import type { Command } from './command.js';

export const restore: Command = {
  name: 'restore',
  summary:
    'writes what the archive has into an empty folder: --to FOLDER, and --at TIME for an earlier point',
  async run(argv) {
    const { onArchive } = await import('./archive-command.js');
    const { restoreInto } = await import('../archive/restore.js');
    const { nodeFiles } = await import('../volume/files.js');
    const options = { to: { type: 'string' }, at: { type: 'string' } } as const;
    return onArchive(argv, options, ['to'], async ({ archive, point, signal, values, onProgress }) => {
      await restoreInto(archive, point, values.to as string, { files: nodeFiles, signal, onProgress });
      return 0;
    });
  },
};
