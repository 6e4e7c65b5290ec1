import type { Clock } from '../base/clock.js';
import { parseDuration } from '../base/durations.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { Semaphore } from '../base/semaphore.js';
import type { EngineViewText } from '../sql/view-file.js';
import type { Files } from '../volume/files.js';
import type { Athena } from './athena.js';
import { EngineView } from './engine-view.js';
import { engineViewWrong } from './errors.js';
import type { GlueCatalog } from './glue-catalog.js';
import type { AthenaSettings } from './options.js';
import { ResultFile } from './result-file.js';

/** Queries at a time: Athena has limits for an account, and other people use it too. */
const AT_A_TIME = 2;
const EVERY = '1h';
/** Milliseconds: each query is billed for 10 MB at least. */
const SHORTEST = 60_000;
/** Milliseconds between two looks at the results of another service. */
const FOLLOW_EVERY = 5_000;
/** Milliseconds between two looks at the tables in Glue. */
const CATALOG_EVERY = 10 * 60_000;

export interface EngineViewsOptions {
  /** Null: the configuration has no Athena. */
  readonly athena: AthenaSettings | null;
  /** Opens what keeps the tables; null: nobody does. */
  readonly openCatalog: (() => Promise<GlueCatalog>) | null;
  readonly dataDir: string;
  /** For reading the results. */
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The views that other engines compute, and the tables that they read. */
export class EngineViews {
  readonly #options: EngineViewsOptions;
  readonly #views: EngineView[] = [];
  readonly #slots = new Semaphore(AT_A_TIME);
  #athena: Promise<Athena> | null = null;

  constructor(options: EngineViewsOptions) {
    this.#options = options;
  }

  /** Adds a view, with its last result. One that cannot run is a dataset too; its status has the reason. */
  async open(text: EngineViewText): Promise<EngineView> {
    const { dataDir, files, clock, logger, athena } = this.#options;
    const every = parseDuration(text.head.every ?? EVERY);
    const view = new EngineView({
      text,
      every: Math.max(every ?? SHORTEST, SHORTEST),
      mistake: mistakeIn(text, every, athena),
      result: new ResultFile(dataDir, text.name, files),
      runner: () => this.#runner(),
      slots: this.#slots,
      clock,
      logger,
    });
    await view.restore();
    this.#views.push(view);
    return view;
  }

  /**
   * Keeps the tables, then computes the views, until the signal aborts. `files`: for the results, those of the service that
   * collects, which change nothing once another one has the data folder.
   */
  async run(signal: AbortSignal, files: Files): Promise<void> {
    const catalog = await this.#openCatalog();
    await catalog?.keep(signal);
    const loops = this.#views.map((view) => view.run(signal, files));
    if (catalog !== null) loops.push(this.#keeping(catalog, signal));
    await Promise.all(loops);
    catalog?.close();
    (await this.#athena)?.close();
    this.#athena = null;
  }

  /** Shows the results that another service keeps on the volume, until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(FOLLOW_EVERY, signal).catch(() => undefined);
      if (!signal.aborted) for (const view of this.#views) await view.restore();
    }
  }

  #openCatalog(): Promise<GlueCatalog | null> {
    return this.#options.openCatalog?.() ?? Promise.resolve(null);
  }

  async #keeping(catalog: GlueCatalog, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(CATALOG_EVERY, signal).catch(() => undefined);
      if (!signal.aborted) await catalog.keep(signal);
    }
  }

  #runner(): Promise<Athena> {
    const { athena, clock } = this.#options;
    // Loaded only where there is such a view: the client is not small.
    this.#athena ??= import('./athena.js').then(
      (module) => new module.Athena(athena as AthenaSettings, clock),
    );
    return this.#athena;
  }
}

/** Why a view cannot run; null: it can. */
function mistakeIn(
  { file, sql, head }: EngineViewText,
  every: number | null,
  athena: AthenaSettings | null,
): DynamoCsvError | null {
  if (head.engine !== 'athena') {
    const what = `"-- engine: ${head.engine}" is not an engine that views can name`;
    return engineViewWrong(file, what, 'write -- engine: athena, or remove the line to compute it here');
  }
  if (athena === null) {
    const remedy = 'add it, such as athena: { database: fleet }';
    return engineViewWrong(file, 'it runs in Athena, and the configuration has no athena', remedy);
  }
  if (every === null || every < SHORTEST) {
    const what = `"-- every: ${head.every}" is not a duration of a minute or more`;
    return engineViewWrong(file, what, 'write one such as -- every: 1h');
  }
  const statement = sql.replace(/^\uFEFF/, '').replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, '');
  if (/^(select|with|values|\()/i.test(statement)) return null;
  return engineViewWrong(file, 'it is not a SELECT', 'write exactly one SELECT');
}
