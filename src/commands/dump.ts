import type { Command } from './command.js';

export const dump: Command = {
  name: 'dump',
  summary: 'writes one table to a file, once and complete, as CSV, JSON or Parquet',
  hasOwnHelp: true,
  async run(argv) {
    const { runDump } = await import('../dump/run.js');
    return runDump(argv);
  },
};
