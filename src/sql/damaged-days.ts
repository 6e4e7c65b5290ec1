import { DynamoCsvError } from '../base/errors.js';
import { SerialQueue } from '../base/serial-queue.js';
import { ALL_HERE, type DayFiles } from '../history/day-files.js';
import type { DamagedFile, ParquetFiles } from '../history/parquet-files.js';

/** A file of a sealed day that a statement may read. */
export type SealedFile = Omit<DamagedFile, 'reason'>;

/** Kinds of DuckDB errors that are not about a file: wrong SQL, or exhausted resources. */
const NOT_OF_A_FILE =
  /^(Parser|Binder|Catalog|Conversion|Out of Range|Out of Memory|Constraint|Not implemented|Permission|TransactionContext|INTERRUPT) Error/;

/**
 * Finds out which sealed file a failed statement could not read, by reading the candidates one by one. A damaged file is
 * reported, which removes it from the sealed days, and the statement runs again without it.
 */
export class DamagedDays {
  readonly #parquet: Pick<ParquetFiles, 'damageOf'>;
  readonly #days: DayFiles;
  readonly #report: ((file: DamagedFile) => Promise<void>) | null;
  /** One examination at a time: the next one may find nothing left to examine. */
  readonly #queue = new SerialQueue();
  /** How often a damaged copy was removed, to be fetched again; and by path the last time. */
  #renewals = 0;
  readonly #renewedAt = new Map<string, number>();

  /** `report`: removes a file from every dataset's sealed days; null: statements just fail. */
  constructor(
    parquet: Pick<ParquetFiles, 'damageOf'>,
    report: ((file: DamagedFile) => Promise<void>) | null,
    days: DayFiles = ALL_HERE,
  ) {
    this.#parquet = parquet;
    this.#days = days;
    this.#report = report;
  }

  /** Runs work that reads these files; if some turn out to be damaged, runs it again without them. */
  async around<T>(files: () => readonly SealedFile[], work: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = files();
      const renewals = this.#renewals;
      try {
        return await work();
      } catch (error) {
        if (!(await this.examine(before, files, error, renewals))) throw error;
      }
    }
  }

  /**
   * Call after work on the files `before` failed. Returns whether some of them are no longer in `files`, or were found
   * damaged now, so that retrying is worthwhile. `renewals`: how many there had been when the work began.
   */
  async examine(
    before: readonly SealedFile[],
    files: () => readonly SealedFile[],
    error: unknown,
    renewals = this.#renewals,
  ): Promise<boolean> {
    const message = messageOf(error);
    if (this.#report === null || message === null || before.length === 0) return false;
    // Retry only with fewer files, so that attempts end.
    const areFewer = () => {
      const current = new Set(files().map(({ path }) => path));
      return before.some(({ path }) => !current.has(path));
    };
    // Other work has found the damaged copy first.
    const isRead = () => before.some(({ path }) => (this.#renewedAt.get(path) ?? 0) > renewals);
    return this.#queue.run(async () => {
      if (areFewer() || isRead()) return true;
      const named = before.filter(({ path }) => message.includes(path));
      const isRenewed = await this.#reportDamaged(named.length > 0 ? named : before);
      return isRenewed || areFewer();
    });
  }

  /** Resolves to whether one of them was a damaged copy that is fetched again. */
  async #reportDamaged(suspects: readonly SealedFile[]): Promise<boolean> {
    let isRenewed = false;
    for (const file of suspects) {
      const hold = this.#days.tryHold([file.path]);
      // A file that is in the archive only is not damaged.
      if (hold === null) continue;
      try {
        const reason = await this.#parquet.damageOf(file.path);
        if (reason === null) continue;
        await this.#report?.({ ...file, reason });
        const again = this.#days.tryHold([file.path]);
        again?.release();
        if (again !== null) continue;
        isRenewed = true;
        this.#renewals += 1;
        this.#renewedAt.set(file.path, this.#renewals);
      } finally {
        hold.release();
      }
    }
    return isRenewed;
  }
}

/** DuckDB's message if a file may be the cause, otherwise null. */
function messageOf(error: unknown): string | null {
  // A streamed answer that fails just ends early.
  if (error instanceof DynamoCsvError && error.code === 'ANSWER_INCOMPLETE') return '';
  const original = error instanceof DynamoCsvError ? error.cause : error;
  if (!(original instanceof Error) || original.name !== 'Error') return null;
  return NOT_OF_A_FILE.test(original.message) ? null : original.message;
}
