import type { SealedDay } from '../datasets/relation.js';
import type { Files } from '../volume/files.js';

/** Notices which files of sealed days another service has written again, with other columns. */
export class DayMarks {
  readonly #files: Files;
  readonly #onRewritten: (path: string) => void;
  /** The identities of the files, by path. */
  readonly #ids = new Map<string, string>();
  /** How often a file was found to be another one, by path. */
  readonly #rewritings = new Map<string, number>();

  constructor(files: Files, onRewritten: (path: string) => void) {
    this.#files = files;
    this.#onRewritten = onRewritten;
  }

  /**
   * Returns the days, each with its rewritings; call it before readers see them.
   * `isWatched`: whether another service may write that file.
   */
  async look(
    days: readonly SealedDay[],
    isWatched: (path: string) => boolean,
  ): Promise<readonly SealedDay[]> {
    const found: SealedDay[] = [];
    for (const day of days) {
      let rewritings = 0;
      for (const path of day.paths.filter(isWatched)) rewritings += await this.#rewritingsOf(path);
      found.push(rewritings === 0 ? day : { ...day, rewritings });
    }
    return found;
  }

  async #rewritingsOf(path: string): Promise<number> {
    const state = await this.#files.stat(path);
    // A file's number is given to another one once it is free.
    const id = state === null ? '' : `${state.id} ${state.modifiedAt} ${state.size}`;
    const before = this.#ids.get(path);
    this.#ids.set(path, id);
    const rewritings = this.#rewritings.get(path) ?? 0;
    if (before === undefined || before === id) return rewritings;
    this.#rewritings.set(path, rewritings + 1);
    this.#onRewritten(path);
    return rewritings + 1;
  }
}
