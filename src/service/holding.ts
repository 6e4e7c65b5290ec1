import type { ArchiveStatus } from '../archive/keeper.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Loop } from '../collect/polling.js';
import { PollReportWriter, type ReportedTables } from '../recorder/poll-report.js';
import type { Files } from '../volume/files.js';
import type { Volume } from '../volume/volume.js';
import type { Polled } from './polled.js';
import type { Service } from './service.js';

/** Milliseconds between two signs of life. */
const BEAT = 1_000;

export interface HoldingOptions {
  readonly service: Pick<Service, 'clock' | 'logger' | 'config'>;
  readonly volume: Pick<Volume, 'beat'>;
  readonly checkVolume: () => Promise<void>;
  readonly files: Files;
  readonly polled: readonly Polled[];
  readonly archive: () => ArchiveStatus | null;
  readonly onLost: (error: DynamoCsvError) => void;
}

/**
 * Shows those who follow that this service is alive, and what its polls are at, once a second. Notices at the same pace when
 * another one has taken the folder or, if it may follow then, the archive.
 */
export class Holding implements Loop {
  readonly #options: HoldingOptions;
  readonly #report: PollReportWriter;
  #failed = '';

  constructor(options: HoldingOptions) {
    this.#options = options;
    this.#report = new PollReportWriter(options.service.config.dataDir, options.files);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { service, onLost } = this.#options;
    while (!signal.aborted) {
      const lost = await this.#hold();
      if (lost !== null) {
        onLost(lost);
        return;
      }
      await service.clock.sleep(BEAT, signal).catch(() => undefined);
    }
  }

  /** Resolves to why it is over; null: it is not. */
  async #hold(): Promise<DynamoCsvError | null> {
    const { volume, checkVolume, service, archive } = this.#options;
    try {
      await checkVolume();
      await volume.beat();
      await this.#report.write(this.#tables());
      this.#failed = '';
    } catch (error) {
      if (isLost(error, 'VOLUME_LOST')) return error;
      this.#warn(error);
    }
    const error = archive()?.error ?? null;
    const isOver = service.config.role === 'auto' && isLost(error, 'ARCHIVE_LOST', 'ARCHIVE_OTHER_HISTORY');
    return isOver ? error : null;
  }

  #tables(): ReportedTables {
    const { polled } = this.#options;
    return Object.fromEntries(
      polled.map(({ collector }) => {
        const { interval, lastError, readAt } = collector.health;
        const exceptions = collector.recorder.datasets[0]?.exceptions ?? [];
        // Other tables commit each poll, so that their files say it.
        return [
          collector.name,
          { interval, lastError, readAt: collector.streamLag === null ? null : readAt, exceptions },
        ];
      }),
    );
  }

  #warn(error: unknown): void {
    const line = describeError(error);
    if (line !== this.#failed)
      this.#options.service.logger.warn(`services that follow this one are not kept informed: ${line}`);
    this.#failed = line;
  }
}

function isLost(error: unknown, ...codes: string[]): error is DynamoCsvError {
  return error instanceof DynamoCsvError && codes.includes(error.code);
}
