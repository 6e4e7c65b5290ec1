import { DynamoCsvError } from '../base/errors.js';
import { SerialQueue } from '../base/serial-queue.js';
import type { DamagedFile, ParquetFiles } from '../history/parquet-files.js';

/** A file of a sealed day, as a statement may read it. */
export type SealedFile = Omit<DamagedFile, 'reason'>;

/** Kinds of DuckDB's errors that say nothing about a file: the SQL is wrong, or something ran out. */
const NOT_OF_A_FILE =
  /^(Parser|Binder|Catalog|Conversion|Out of Range|Out of Memory|Constraint|Not implemented|Permission|TransactionContext|INTERRUPT) Error/;

/**
 * Finds out which sealed file a failed statement could not read, by reading the suspects one by one. What is damaged is
 * reported, which takes it out of the readers' way, and the statement runs again without it.
 */
export class DamagedDays {
  readonly #parquet: Pick<ParquetFiles, 'damageOf'>;
  readonly #report: ((file: DamagedFile) => Promise<void>) | null;
  /** One examination at a time: the next may find that there is nothing left to examine. */
  readonly #queue = new SerialQueue();

  /** `report`: takes a file out of every dataset's sealed days; null: nobody does, and statements just fail. */
  constructor(
    parquet: Pick<ParquetFiles, 'damageOf'>,
    report: ((file: DamagedFile) => Promise<void>) | null,
  ) {
    this.#parquet = parquet;
    this.#report = report;
  }

  /** Runs work that reads these files, as they are then; again without those that turn out to be damaged. */
  async around<T>(files: () => readonly SealedFile[], work: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = files();
      try {
        return await work();
      } catch (error) {
        if (!(await this.examine(before, files, error))) throw error;
      }
    }
  }

  /**
   * After work on the files `before` failed: whether some of them are gone from `files` or were found damaged now, so
   * that it is worth trying again.
   */
  async examine(
    before: readonly SealedFile[],
    files: () => readonly SealedFile[],
    error: unknown,
  ): Promise<boolean> {
    const message = messageOf(error);
    if (this.#report === null || message === null || before.length === 0) return false;
    // Only fewer files make another attempt worth it, so that there is no attempt without end.
    const areFewer = () => {
      const current = new Set(files().map(({ path }) => path));
      return before.some(({ path }) => !current.has(path));
    };
    return this.#queue.run(async () => {
      if (areFewer()) return true;
      const named = before.filter(({ path }) => message.includes(path));
      await this.#reportDamaged(named.length > 0 ? named : before);
      return areFewer();
    });
  }

  async #reportDamaged(suspects: readonly SealedFile[]): Promise<void> {
    for (const file of suspects) {
      const reason = await this.#parquet.damageOf(file.path);
      if (reason !== null) await this.#report?.({ ...file, reason });
    }
  }
}

/** What DuckDB said, where a file may be the cause; null: none is. */
function messageOf(error: unknown): string | null {
  // A streamed answer that fails only ends too early.
  if (error instanceof DynamoCsvError && error.code === 'ANSWER_INCOMPLETE') return '';
  const original = error instanceof DynamoCsvError ? error.cause : error;
  if (!(original instanceof Error) || original.name !== 'Error') return null;
  return NOT_OF_A_FILE.test(original.message) ? null : original.message;
}
