import type { DynamoCsvError } from '../base/errors.js';
import { concatRows } from '../csv/relayout.js';
import type { EncodedRows } from '../csv/rows.js';
import type { Reading } from '../sources/source.js';
import type { Difference } from './diff.js';

/** A poll that took place before. */
export interface PastPoll {
  readonly reading: Reading;
  /** Its time, milliseconds since the epoch. */
  readonly at: number;
}

/** One poll on its way to the volume. */
export interface Poll {
  readonly at: number;
  /** When it began by the clock: earlier than `at` where the clock went back. */
  readonly readAt: number;
  readonly rows: EncodedRows;
  readonly isNewLayout: boolean;
  /** Rows for the log and for the changes; null where they are not kept. */
  readonly logged: EncodedRows | null;
  readonly compared: Compared | null;
  readonly problems: DynamoCsvError[];
}

/** What differs from the poll before, and the same as rows of the changes. */
export interface Compared {
  readonly differences: readonly Difference[];
  readonly rows: EncodedRows;
}

/** Polls of one layout, in the order of time, as one write. */
export function joinPolls(polls: readonly Poll[]): Poll {
  const last = polls.at(-1) as Poll;
  const logged = polls.flatMap((poll) => poll.logged ?? []);
  const compared = polls.flatMap((poll) => poll.compared ?? []);
  return {
    ...last,
    isNewLayout: polls.some((poll) => poll.isNewLayout),
    logged: logged.length === 0 ? null : concatRows(logged),
    compared:
      compared.length === 0
        ? null
        : {
            differences: compared.flatMap(({ differences }) => differences),
            rows: concatRows(compared.map(({ rows }) => rows)),
          },
  };
}
