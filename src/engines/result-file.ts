import { dirname } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { describeError } from '../base/errors.js';
import { hashOf } from '../base/hash.js';
import type { Logger } from '../base/logger.js';
import type { FileState, Files } from '../volume/files.js';
import { resultFile, resultStateFile } from '../volume/layout.js';
import { replaceFile } from '../volume/write.js';

const State = Type.Object({
  format: Type.Literal(1),
  /** Identifies the text of the view. */
  view: Type.String(),
  /** Milliseconds since the epoch. */
  readAt: Type.Number(),
  /** The hash of the CSV file. */
  hash: Type.String(),
  rows: Type.Integer({ minimum: 0 }),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum(['string', 'number', 'boolean', 'time']),
      seen: Type.Boolean(),
    }),
  ),
  query: Type.Object({
    engine: Type.String(),
    id: Type.String(),
    bytesScanned: Type.Number(),
    usd: Type.Number(),
    took: Type.Number(),
  }),
});

/** A result and where it comes from. */
export type ResultState = Omit<Static<typeof State>, 'format'>;
export interface KeptResult extends ResultState {
  /** As CSV. */
  readonly bytes: Buffer;
}

/** The last result of a view, on the volume. */
export class ResultFile {
  readonly #csv: string;
  readonly #state: string;
  readonly #files: Files;
  /** The state file that was looked at last. */
  #seen: FileState | null = null;

  constructor(dataDir: string, view: string, files: Files) {
    this.#csv = resultFile(dataDir, view);
    this.#state = resultStateFile(dataDir, view);
    this.#files = files;
  }

  /** Whether another state was written since the last call. */
  async hasChanged(): Promise<boolean> {
    const before = this.#seen;
    try {
      this.#seen = await this.#files.stat(this.#state);
    } catch {
      // `read` meets the same error, and logs it.
      return true;
    }
    return this.#seen?.id !== before?.id || this.#seen?.modifiedAt !== before?.modifiedAt;
  }

  /** What was kept last; null: nothing, or it was damaged, which is logged. */
  async read(logger: Logger): Promise<KeptResult | null> {
    try {
      if ((await this.#files.stat(this.#state)) === null) return null;
      const state: unknown = JSON.parse((await this.#files.readFile(this.#state)).toString());
      if (!Value.Check(State, state)) throw new Error('it is not the state of a result');
      const isThere = (await this.#files.stat(this.#csv)) !== null;
      const bytes = isThere ? await this.#files.readFile(this.#csv) : null;
      if (bytes !== null && (await hashOf(bytes)) === state.hash) return { ...state, bytes };
      // Killed between the two files: the query runs again. Or the other one is still on its way here.
      this.#seen = null;
      return null;
    } catch (error) {
      logger.warn({ file: this.#state }, `a kept result is left out: ${describeError(error)}`);
      return null;
    }
  }

  /** Rejects if the disk does, or if `files` may not be written to any more. `before`: what is there. */
  async write({ bytes, ...state }: KeptResult, before: KeptResult | null, files: Files): Promise<void> {
    await files.makeFolder(dirname(this.#csv));
    if (before?.hash !== state.hash) await replaceFile(files, this.#csv, bytes);
    const text = JSON.stringify({ ...state, format: 1 });
    await replaceFile(files, this.#state, Buffer.from(text));
  }
}
