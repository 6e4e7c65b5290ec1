import { type Files, nodeFiles } from '../../src/volume/files.js';

/** Real files that nobody waits for to reach the disk: for tests that record thousands of polls and cut no power. */
export const unsyncedFiles: Files = {
  ...nodeFiles,
  open: async (path, mode) => ({ ...(await nodeFiles.open(path, mode)), sync: async () => undefined }),
  syncFolder: async () => undefined,
};
