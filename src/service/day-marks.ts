import type { SealedDay } from '../datasets/relation.js';
import type { Files } from '../volume/files.js';

/** Notices which files of sealed days another service has written again, with other columns. */
export class DayMarks {
  readonly #files: Files;
  readonly #onRewritten: (path: string) => void;
  /** The identities of the files, by path. */
  readonly #ids = new Map<string, string>();

  constructor(files: Files, onRewritten: (path: string) => void) {
    this.#files = files;
    this.#onRewritten = onRewritten;
  }

  /** Returns the days; call it before readers see them. `isWatched`: whether another service may write that file. */
  async look(
    days: readonly SealedDay[],
    isWatched: (path: string) => boolean,
  ): Promise<readonly SealedDay[]> {
    for (const path of days.flatMap(({ paths }) => paths).filter(isWatched)) {
      const state = await this.#files.stat(path);
      const id = state === null ? '' : String(state.id);
      const before = this.#ids.get(path);
      this.#ids.set(path, id);
      if (before !== undefined && before !== id) this.#onRewritten(path);
    }
    return days;
  }
}
