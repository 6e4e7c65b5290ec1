import type { Files, OpenFile } from './files.js';

/** Milliseconds for which a check is good. A process that was frozen for longer checks again before it writes. */
const GOOD_FOR = 1_000;

/**
 * The same files, for a process that may lose the folder to another one without noticing: because it was frozen, or its
 * machine was. `check` rejects once the folder is lost; then nothing is changed any more. A rename, by which things come
 * to count, is checked each time, other changes at least once a second by both of the machine's clocks: one of them may
 * stand still while the machine sleeps.
 */
export function fencedFiles(files: Files, check: () => Promise<unknown>): Files {
  let checked = { at: Number.NEGATIVE_INFINITY, by: Number.NEGATIVE_INFINITY };
  const require = async () => {
    const now = { at: Date.now(), by: performance.now() };
    await check();
    checked = now;
  };
  const requireLately = async () => {
    const isGood = Math.abs(Date.now() - checked.at) < GOOD_FOR && performance.now() - checked.by < GOOD_FOR;
    if (!isGood) await require();
  };
  return {
    ...files,
    open: async (path, mode) => {
      if (mode === 'r') return files.open(path, mode);
      await requireLately();
      return fencedFile(await files.open(path, mode), requireLately);
    },
    rename: async (from, to) => {
      await require();
      await files.rename(from, to);
    },
    remove: async (path) => {
      await requireLately();
      await files.remove(path);
    },
    removeFolder: async (path) => {
      await requireLately();
      await files.removeFolder(path);
    },
  };
}

function fencedFile(file: OpenFile, require: () => Promise<void>): OpenFile {
  return {
    ...file,
    write: async (bytes, position) => {
      await require();
      return file.write(bytes, position);
    },
    truncate: async (size) => {
      await require();
      await file.truncate(size);
    },
  };
}
