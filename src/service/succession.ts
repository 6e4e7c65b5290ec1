import { isoTime } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import {
  acquireVolumeLock,
  type LockSign,
  readLockSign,
  succeedVolumeLock,
  thisProcess,
  type VolumeLock,
} from '../volume/lock.js';
import type { Service } from './service.js';

/** Milliseconds between two looks at the lock. */
const LOOK_EVERY = 1_000;
/**
 * Looks in a row at which the holder has not beaten since the look before: it beats once a second. Looks are counted, and
 * not the time, so that a follower which was frozen itself does not take the holder for dead.
 */
const LOOKS = 8;

/** A service may collect now. */
export interface Turn {
  readonly lock: VolumeLock;
  /** Whether the holder before may still be there, and wake up. */
  readonly isForced: boolean;
  /** For people. */
  readonly why: string;
}

/** Waits for the volume of another service. */
export class Succession {
  readonly #service: Service;
  #seen: LockSign | null = null;
  #unchanged = 0;
  #failed = '';

  constructor(service: Service) {
    this.#service = service;
  }

  /** Resolves once this service has the volume; to null when the signal aborts. */
  async wait(signal: AbortSignal): Promise<Turn | null> {
    const { clock } = this.#service;
    while (!signal.aborted) {
      const turn = await this.#look().catch((error: unknown) => this.#warn(error));
      if (turn !== null) return turn;
      await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
    }
    return null;
  }

  async #look(): Promise<Turn | null> {
    const { config, clock } = this.#service;
    const holder = thisProcess(isoTime(clock.now()));
    const sign = await readLockSign(config.dataDir);
    const who = nameOf(sign);
    try {
      const lock = await acquireVolumeLock(config.dataDir, holder);
      return { lock, isForced: false, why: `${who} is gone` };
    } catch (error) {
      if (!(error instanceof DynamoCsvError) || error.code !== 'VOLUME_HELD') throw error;
    }
    const isSame = sign?.id === this.#seen?.id && sign?.modifiedAt === this.#seen?.modifiedAt;
    this.#unchanged = isSame ? this.#unchanged + 1 : 0;
    this.#seen = sign;
    if (sign === null || !sign.beats || this.#unchanged < LOOKS) return null;
    const lock = await succeedVolumeLock(config.dataDir, holder, sign);
    this.#unchanged = 0;
    return lock === null ? null : { lock, isForced: true, why: `${who} gives no sign of life` };
  }

  /** Each failure once. */
  #warn(error: unknown): null {
    const line = describeError(error);
    if (line !== this.#failed)
      this.#service.logger.warn(`the lock of the data folder cannot be looked at: ${line}`);
    this.#failed = line;
    return null;
  }
}

function nameOf(sign: LockSign | null): string {
  const holder = sign?.holder ?? null;
  return holder === null ? 'the service that collected' : `process ${holder.pid} on host ${holder.host}`;
}
