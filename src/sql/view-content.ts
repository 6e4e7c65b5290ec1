import type { Clock } from '../base/clock.js';
import type { Content } from '../datasets/dataset.js';
import type { DamagedDays } from './damaged-days.js';
import { fetchingDays } from './days-away.js';
import { encodeTable } from './encode-table.js';
import type { Engine } from './engine.js';
import type { Session } from './session.js';
import { readTogether } from './sql-dataset.js';
import { VIEW_LIMIT, type ViewAnswer } from './view-answer.js';
import { readingSameDays } from './watched-days.js';

/** A view's result as CSV, encoded once per result. */
export class ViewContent {
  readonly #answer: ViewAnswer;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #damagedDays: DamagedDays;
  #encoded: { readonly state: string; readonly content: Promise<Content> } | null = null;
  #size: { readonly rows: number; readonly bytes: number } | null = null;

  constructor(
    answer: ViewAnswer,
    options: { readonly engine: Engine; readonly clock: Clock; readonly damagedDays: DamagedDays },
  ) {
    this.#answer = answer;
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#damagedDays = options.damagedDays;
  }

  /** Rows and bytes of the last encoded result; null: there was none. */
  get size(): { readonly rows: number; readonly bytes: number } | null {
    return this.#size;
  }

  /** The current result, under that version. Rejects as `ViewAnswer.sync` does. */
  async get(version: string | null): Promise<Content> {
    await this.#answer.sync();
    const content = await this.#ofState(this.#answer.state, version);
    return version === null || content.version === version ? content : { ...content, version };
  }

  #ofState(state: string, version: string | null): Promise<Content> {
    if (this.#encoded?.state === state) return this.#encoded.content;
    const content = this.#encode(version ?? state);
    this.#encoded = { state, content };
    content.catch(() => {
      if (this.#encoded?.content === content) this.#encoded = null;
    });
    return content;
  }

  #encode(version: string): Promise<Content> {
    const options = { caller: 'service', limit: VIEW_LIMIT, now: this.#clock.now() } as const;
    const work = async (session: Session) => {
      await readTogether(session, [this.#answer]);
      session.needs(this.#answer.filesIn());
      const { readAt, columns } = this.#answer.current;
      const { bytes, rows } = await encodeTable(session, this.#answer.table());
      await session.checkDays();
      this.#size = { rows, bytes: bytes.length };
      return { version, readAt, columns: columns.map(({ column }) => column), rows, bytes };
    };
    // A result that is not kept is read from the files of its days.
    const undamaged = () =>
      this.#damagedDays.around(
        () => this.#answer.sealedFiles,
        () => this.#engine.session(options, work),
      );
    return fetchingDays(this.#engine.days, () => readingSameDays(undamaged, () => this.#answer.sync()));
  }
}
