import { isCopy } from '../archive/folder.js';
import type { ArchiveKeeper } from '../archive/keeper.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { CollectorDatasetOptions } from '../collect/collector-dataset.js';
import { Polling } from '../collect/polling.js';
import type { Queries } from '../datasets/queries.js';
import type { EngineViews } from '../engines/engine-views.js';
import type { DamagedFile } from '../history/parquet-files.js';
import type { RoleStatus } from '../http/options.js';
import type { Sql } from '../sql/sql.js';
import { fencedFiles } from '../volume/fenced-files.js';
import { nodeFiles } from '../volume/files.js';
import type { Volume } from '../volume/volume.js';
import { ArchiveSupply } from './archive-supply.js';
import { createKeeper } from './archiving.js';
import type { Body } from './body.js';
import { Collecting } from './collecting.js';
import type { CurrentDayFiles } from './day-files.js';
import { Following } from './following.js';
import type { Service } from './service.js';
import { Succession } from './succession.js';
import { takeVolume, volumeCheck } from './volume.js';

/** Milliseconds before a service that could not take over tries again. */
const AGAIN = 5_000;

export interface RolesOptions {
  readonly service: Service;
  readonly sql: Sql;
  readonly dayFiles: CurrentDayFiles;
  readonly queries: Queries;
  readonly about: CollectorDatasetOptions;
  readonly engineViews: EngineViews;
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
    const { service } = this.#options;
    const { role } = service.config;
    if (role === 'collect')
      this.#body = await this.#collecting({ volume: await takeVolume(service), keeper: null });
    else this.#body = role === 'follow' ? await this.#firstOfFollow() : await this.#firstOfAuto();
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

  /** Collects if nobody else does, and follows otherwise. */
  async #firstOfAuto(): Promise<Body> {
    const { service } = this.#options;
    let volume: Volume;
    try {
      volume = await takeVolume(service);
    } catch (error) {
      if (!isHeld(error)) throw error;
      service.logger.info(error.message);
      return this.#following(null);
    }
    const supply = await this.#supplyOf(volume);
    if (supply === null) return this.#collecting({ volume, keeper: null });
    const isFree = await supply.keeper.tryLease(service.signal).catch((error: unknown) => {
      service.logger.warn(`following, because the archive does not answer: ${describeError(error)}`);
      return false;
    });
    return isFree ? this.#collecting(supply.handOver(), true) : this.#following(supply);
  }

  /** A folder with nothing of its own follows the archive, any other the service that has it or will have it. */
  async #firstOfFollow(): Promise<Body> {
    const { service } = this.#options;
    const { archive, dataDir } = service.config;
    if (archive === null || !(await isCopy(dataDir, nodeFiles))) return this.#following(null);
    try {
      return await this.#following(await this.#supplyOf(await takeVolume(service)));
    } catch (error) {
      if (isHeld(error)) return this.#following(null);
      throw error;
    }
  }

  async #supplyOf(volume: Volume): Promise<ArchiveSupply | null> {
    const { service } = this.#options;
    const keeper = await createKeeper(service, fencedFiles(nodeFiles, volumeCheck(volume, service)));
    return keeper === null ? null : new ArchiveSupply(service, volume, keeper);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { config, onFatal } = this.#options.service;
    const aborted = new Promise<null>((resolve) => {
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    while (!signal.aborted) {
      const body = this.body;
      if (body instanceof Following && config.role === 'auto') await this.#succeed(body, signal);
      else {
        const lost = await Promise.race([body.lost, aborted]);
        if (lost === null) return;
        if (config.role !== 'auto') return onFatal?.(lost);
        await this.#stepDown(lost);
      }
    }
  }

  /** Another service collects now. */
  async #stepDown(lost: DynamoCsvError): Promise<void> {
    const { service } = this.#options;
    service.logger.warn({ code: lost.code }, `${lost.message}: this service stops writing, and follows`);
    const before = this.body;
    await before.stop();
    // Of the folder as it is: answers go on while it is freed, and while the archive's last point is fetched.
    const here = await this.#following(null);
    this.#become(here);
    await this.#end(before);
    if (lost.code !== 'VOLUME_LOST') await this.#beginAnew(here);
  }

  /** Decides again whether to collect or to follow. */
  async #beginAnew(before: Body): Promise<void> {
    await before.stop();
    this.#become(await this.#firstOfAuto());
    await this.#end(before);
  }

  /** Waits until this service may collect, and does. */
  async #succeed(before: Following, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options.service;
    const { supply } = before;
    try {
      const begun =
        supply === null ? await this.#succeedOnVolume(signal) : await this.#succeedInArchive(before, signal);
      if (begun === null) return;
      await this.#end(before);
      logger.warn({ took: clock.now() - begun }, 'this service collects now');
    } catch (error) {
      logger.error(`this service could not take over, and goes on following: ${describeError(error)}`);
      before.show();
      await clock.sleep(AGAIN, signal).catch(() => undefined);
      if (supply !== null) await this.#beginAnew(before);
    }
  }

  /** Resolves to when it got the volume, in milliseconds since the epoch; null: it did not. */
  async #succeedOnVolume(signal: AbortSignal): Promise<number | null> {
    const { service } = this.#options;
    const turn = await new Succession(service).wait(signal);
    if (turn === null) return null;
    const begun = service.clock.now();
    service.logger.warn(`taking over: ${turn.why}`);
    const volume = await takeVolume(service, turn.lock, turn.isForced);
    // The folder is the one that was archived: the archive can wait.
    this.#become(await this.#collecting({ volume, keeper: null }, false));
    return begun;
  }

  async #succeedInArchive(before: Following, signal: AbortSignal): Promise<number | null> {
    const { clock, logger } = this.#options.service;
    const supply = before.supply as ArchiveSupply;
    if (!(await supply.awaitLease(signal))) return null;
    const begun = clock.now();
    logger.warn('taking over: nobody renews the lease of the archive any more');
    await before.stop();
    // A point that is being written into the folder: two at once would mix.
    await supply.isIdle();
    this.#become(await this.#collecting(supply.handOver(), true));
    return begun;
  }

  #become(body: Body): void {
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

  #collecting(
    held: { readonly volume: Volume; readonly keeper: ArchiveKeeper | null },
    archiveFirst = true,
  ): Promise<Collecting> {
    return Collecting.open(this.#options.service, { ...this.#options, ...held, archiveFirst });
  }

  #following(supply: ArchiveSupply | null): Promise<Following> {
    const { service, ...options } = this.#options;
    service.logger.info(
      `following ${supply === null ? 'the service that has the data folder' : 'the archive'}`,
    );
    return Following.open(service, { ...options, supply });
  }
}

function isHeld(error: unknown): error is DynamoCsvError {
  return error instanceof DynamoCsvError && error.code === 'VOLUME_HELD';
}
