import { DynamoCsvError, describeError } from '../base/errors.js';
import type { CollectorDatasetOptions } from '../collect/collector-dataset.js';
import { Polling } from '../collect/polling.js';
import type { Queries } from '../datasets/queries.js';
import type { DamagedFile } from '../history/parquet-files.js';
import type { RoleStatus } from '../http/options.js';
import type { Sql } from '../sql/sql.js';
import type { Body } from './body.js';
import { Collecting } from './collecting.js';
import { Following } from './following.js';
import type { Service } from './service.js';
import { Succession, type Turn } from './succession.js';
import { takeVolume } from './volume.js';

/** Milliseconds before a service that could not take over tries again. */
const AGAIN = 5_000;

export interface RolesOptions {
  readonly service: Service;
  readonly sql: Sql;
  readonly queries: Queries;
  readonly about: CollectorDatasetOptions;
}

/**
 * Who collects. With `ROLE=auto`, whoever holds the volume collects and all others follow it; a follower takes over when
 * the holder is gone or does not beat any more, and a holder that finds itself replaced follows. Readers go on with the
 * datasets of the old body until those of the new one are open.
 */
export class Roles {
  readonly #options: RolesOptions;
  readonly #background: Polling;
  #body: Body | null = null;

  constructor(options: RolesOptions) {
    this.#options = options;
    this.#background = new Polling(options.service.clock);
    this.#background.add({ run: (signal) => this.#run(signal) });
  }

  get body(): Body {
    return this.#body!;
  }

  get status(): RoleStatus {
    const { role, behind } = this.body;
    return { configured: this.#options.service.config.role, role, behind };
  }

  /** Opens the first body. Rejects as a start does. */
  async open(): Promise<void> {
    const { config } = this.#options.service;
    if (config.role === 'follow') this.#body = await this.#following();
    else if (config.role === 'collect') this.#body = await this.#collecting(null, true);
    else this.#body = await this.#firstOfAuto();
  }

  showLog(): void {
    this.body.showLog();
  }

  setAside(file: DamagedFile): Promise<void> {
    return this.body.setAside(file);
  }

  start(): void {
    this.body.start();
    this.#background.start();
  }

  /** Ends all loops. */
  async stop(): Promise<void> {
    await Promise.all([this.#background.stop(), this.#body?.stop()]);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#body?.close();
  }

  async #firstOfAuto(): Promise<Body> {
    try {
      return await this.#collecting(null, true);
    } catch (error) {
      if (!(error instanceof DynamoCsvError) || error.code !== 'VOLUME_HELD') throw error;
      this.#options.service.logger.info(`following: ${error.message}`);
      return this.#following();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { config, onFatal } = this.#options.service;
    const aborted = new Promise<null>((resolve) => {
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    while (!signal.aborted) {
      const body = this.body;
      if (body.role === 'collect' || config.role === 'follow') {
        const lost = await Promise.race([body.lost, aborted]);
        if (lost === null) return;
        if (config.role !== 'auto') return onFatal?.(lost);
        await this.#stepDown(lost);
      } else await this.#succeed(signal);
    }
  }

  /** Another service collects now. */
  async #stepDown(lost: DynamoCsvError): Promise<void> {
    const { logger } = this.#options.service;
    logger.warn({ code: lost.code }, `${lost.message}: this service stops writing, and follows`);
    const before = this.body;
    await before.stop();
    await this.#become(await this.#following());
    await this.#end(before);
  }

  /** Waits until it is this service's turn to collect, and does. */
  async #succeed(signal: AbortSignal): Promise<void> {
    const { service } = this.#options;
    const { clock, logger } = service;
    const before = this.body;
    try {
      const turn = await new Succession(service).wait(signal);
      if (turn === null) return;
      const begun = clock.now();
      logger.warn(`taking over: ${turn.why}`);
      await this.#become(await this.#collecting(turn, false));
      await this.#end(before);
      logger.warn({ took: clock.now() - begun }, 'this service collects now');
    } catch (error) {
      logger.error(`this service could not take over, and goes on following: ${describeError(error)}`);
      await clock.sleep(AGAIN, signal).catch(() => undefined);
    }
  }

  async #become(body: Body): Promise<void> {
    body.showLog();
    this.#body = body;
    body.start();
  }

  /** What it could not write any more is nobody's loss. */
  async #end(body: Body): Promise<void> {
    await body.close().catch((error: unknown) => {
      this.#options.service.logger.debug(describeError(error));
    });
  }

  async #collecting(turn: Turn | null, archiveFirst: boolean): Promise<Collecting> {
    const { service } = this.#options;
    const volume = await takeVolume(service, turn?.lock ?? null, turn?.isForced ?? false);
    return Collecting.open(service, { ...this.#options, volume, archiveFirst });
  }

  #following(): Promise<Following> {
    const { service, sql } = this.#options;
    return Following.open(service, { sql });
  }
}
