import type { Clock } from '../../../base/clock.js';
import type { Column } from '../../../csv/rows.js';
import type { FullReading, Source } from '../../source.js';
import { keyText } from './items.js';
import type { ShardRecord } from './shard-reader.js';

/** A Scan that runs beside the readings of the stream, and what they find meanwhile. */
export class Verification {
  readonly meanwhile = new Meanwhile();
  readonly #stopping = new AbortController();
  /** The Scan and when it ended, or why it failed; null: it is running. */
  result: { readonly full: FullReading | null; readonly at: number; readonly error?: unknown } | null = null;

  constructor(scan: Source, known: readonly Column[], clock: Clock) {
    void scan
      .read({ known, signal: this.#stopping.signal })
      .then(
        (full) => {
          this.result = { full: full as FullReading, at: clock.now() };
        },
        (error: unknown) => {
          this.result = { full: null, at: clock.now(), error };
        },
      )
      .finally(() => scan.close());
  }

  stop(): void {
    this.#stopping.abort(new Error('the verification was stopped'));
  }
}

/** Records that were written during a Scan: of each item the last one is enough. */
export class Meanwhile {
  readonly #last = new Map<string, ShardRecord>();

  add(records: readonly ShardRecord[]): void {
    for (const record of records) this.#last.set(keyText(record.raw.dynamodb?.Keys ?? {}), record);
  }

  get records(): readonly ShardRecord[] {
    return [...this.#last.values()];
  }
}
