import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { describeError } from '../base/errors.js';
import { hashOf } from '../base/hash.js';
import type { Logger } from '../base/logger.js';
import type { Dataset, Registry } from '../datasets/dataset.js';
import type { Queries } from '../datasets/queries.js';
import type { Files } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import { isTable } from './tables.js';
import { dashboardUid } from './uid.js';

export interface PublishedFolderOptions {
  /** The folder that Grafana's file provider reads; created if it does not exist. */
  readonly dir: string;
  readonly files: Files;
  /** The plugin that the dashboards ask with: `csv` or `infinity`. */
  readonly datasource: string;
  readonly registry: Pick<Registry, 'get' | 'list'>;
  readonly queries: Queries;
  readonly timeZone: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds between two looks at the tables; Grafana looks at the folder every 30 seconds. */
const LOOK_EVERY = 5_000;
/** Milliseconds after which a dashboard is made anew though its columns are the same: keys may have new values. */
const MADE_ANEW = 600_000;
/** Milliseconds after the start in which nothing is removed: tables are still being found. */
const START_GRACE = 60_000;
/** Our files and what a crash left of one, and no other: they alone are removed. */
const OURS = /^(?:table-(?:[a-z\d-]+-)?[a-f\d]{8}\.json|\.table-(?:[a-z\d-]+-)?[a-f\d]{8}\.json\.tmp)$/;

interface Made {
  /** What the dashboard was made for: columns, and whether changes are kept. */
  readonly state: string;
  readonly version: string | null;
  readonly at: number;
  readonly hash: string;
}

/**
 * Keeps a dashboard for each table in a folder, as files that Grafana reads: written within seconds of the table's first
 * read, replaced when its columns change, removed when the table is gone (but not in the first minute after the start). Files of others are left alone. What cannot be
 * written is logged once, and tried again.
 */
export class PublishedFolder {
  readonly #options: PublishedFolderOptions;
  /** By file name. */
  readonly #made = new Map<string, Made>();
  readonly #startedAt: number;
  #lastFailure = '';

  constructor(options: PublishedFolderOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.update(signal);
      if (!signal.aborted) await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
  }

  /** Brings the folder up to date once. */
  async update(signal: AbortSignal): Promise<void> {
    const tables = this.#options.registry.list().filter(isTable);
    const failures: string[] = [];
    const attempt = async (work: () => Promise<void>) => {
      if (signal.aborted) return;
      await work().catch((error: unknown) => {
        if (!signal.aborted) failures.push(describeError(error));
      });
    };
    for (const table of tables) await attempt(() => this.#publish(table, signal));
    await attempt(() => this.#removeOthers(new Set(tables.map(fileOf))));
    this.#log(failures);
  }

  async #publish(table: Dataset, signal: AbortSignal): Promise<void> {
    const file = fileOf(table);
    const { dir, files, clock } = this.#options;
    const before = this.#made.get(file);
    const now = clock.now();
    const state = this.#stateOf(table);
    if (table.columns === null || (before !== undefined && isCurrent(before, state, table.version, now)))
      return;
    let isComplete = true;
    const bytes = Buffer.from(
      await this.#render(table, now, signal, () => {
        isComplete = false;
      }),
    );
    const hash = await hashOf(bytes);
    if (before?.hash !== hash || (await files.stat(join(dir, file))) === null) {
      await files.makeFolder(dir);
      await replaceFile(files, join(dir, file), bytes);
    }
    // Else it is made again at the next look.
    this.#made.set(file, { state: isComplete ? state : '', version: table.version, at: now, hash });
  }

  #stateOf(table: Dataset): string {
    const { name, columns, timeColumn, keys } = table;
    const changes = this.#options.registry.get(`${name}-changes`);
    const isEmpty = (table.status().rows ?? 0) === 0;
    return JSON.stringify([columns, timeColumn, keys, changes?.columns?.length, isEmpty]);
  }

  async #render(table: Dataset, now: number, signal: AbortSignal, onNoAnswer: () => void): Promise<string> {
    const { datasource, registry, queries, timeZone } = this.#options;
    // Grafana's library is loaded with the first dashboard.
    const { dashboardJson, flavourOf } = await import('./generated.js');
    return dashboardJson(table, flavourOf(datasource), {
      registry,
      queries,
      timeZone,
      now,
      signal,
      onNoAnswer,
    });
  }

  async #removeOthers(wanted: ReadonlySet<string>): Promise<void> {
    const { dir, files, clock, logger } = this.#options;
    if (clock.now() - this.#startedAt < START_GRACE) return;
    for (const file of await files.list(dir)) {
      if (!OURS.test(file) || wanted.has(file)) continue;
      await files.remove(join(dir, file));
      this.#made.delete(file);
      logger.info({ file: join(dir, file) }, 'removed the dashboard of a table that is gone');
    }
  }

  #log(failures: readonly string[]): void {
    const failure = failures[0] ?? '';
    const { dir, logger } = this.#options;
    if (failure !== '' && failure !== this.#lastFailure)
      logger.warn({ dir }, `could not write dashboards for Grafana: ${failure}`);
    this.#lastFailure = failure;
  }
}

const fileOf = ({ name }: Pick<Dataset, 'name'>) => `${dashboardUid(name)}.json`;

function isCurrent(made: Made, state: string, version: string | null, now: number): boolean {
  return made.state === state && (made.version === version || now - made.at < MADE_ANEW);
}
