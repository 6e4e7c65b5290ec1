import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Clock } from '../base/clock.js';
import { archiveHeld, archiveLost } from './errors.js';
import type { ObjectStore } from './objects.js';

const KEY = 'lease.json';
const Lease = Type.Object({
  /** Who holds it, for people: host and process. */
  holder: Type.String(),
  /** Distinguishes two holders of the same name. */
  token: Type.String(),
  /** Grows with each holder. */
  fence: Type.Integer({ minimum: 1 }),
  /** Counts renewals, so that each has another version. */
  renewals: Type.Integer({ minimum: 0 }),
  isReleased: Type.Boolean(),
});
type Lease = Static<typeof Lease>;

/** Milliseconds without a renewal after which a lease is free. */
export const LEASE_TIME = 12_000;
/** Milliseconds between renewals. */
export const RENEWAL = 4_000;
/** Milliseconds between two looks at a lease that another holds. */
const LOOK = 1_000;

export interface Holder {
  /** Host and process, for people. */
  readonly name: string;
  readonly token: string;
}

/**
 * The right to write to an archive: one object, replaced by conditional writes.
 *
 * Clocks of machines are never compared: a lease is free if it is released, or if it did not change for `LEASE_TIME` by
 * the clock of who looks. Of the time between two looks no more counts than a holder needs to renew it: a machine that
 * stood still, or whose clock was set, does not take the holder for dead. Its holder stops believing in it after
 * `LEASE_TIME` without a renewal. Points carry its `fence`, and their numbers are taken once, so a holder that was stopped
 * for longer writes no point any more.
 */
export class ArchiveLease {
  readonly fence: number;
  readonly #objects: ObjectStore;
  readonly #clock: Clock;
  #lease: Lease;
  #version: string;
  #renewedAt: number;
  #lostTo: string | null = null;

  private constructor(objects: ObjectStore, clock: Clock, lease: Lease, version: string) {
    this.#objects = objects;
    this.#clock = clock;
    this.#lease = lease;
    this.#version = version;
    this.#renewedAt = clock.now();
    this.fence = lease.fence;
  }

  /**
   * Takes the lease. Waits while another holder renews it, up to `patience` milliseconds beyond `LEASE_TIME`; then rejects
   * with `ARCHIVE_HELD`. Rejects with the signal's reason if that aborts. `onHeld`: called once when it has to wait.
   */
  static async take(
    objects: ObjectStore,
    { name, token }: Holder,
    {
      clock,
      signal,
      patience = 0,
      onHeld,
    }: { clock: Clock; signal: AbortSignal; patience?: number; onHeld?: (holder: string) => void },
  ): Promise<ArchiveLease> {
    /** Milliseconds for which the lease was watched, and when it was looked at last. */
    let watched = 0;
    let lookedAt: number | null = null;
    let seen = { version: '', since: 0 };
    let waitsFor: string | null = null;
    for (;;) {
      signal.throwIfAborted();
      const found = await objects.get(KEY);
      const lease = found === null ? null : decode(found.bytes);
      // One time for both questions: a lease that did not change since the first look is free before patience ends.
      const now = clock.now();
      watched += Math.min(RENEWAL, Math.max(0, now - (lookedAt ?? now)));
      lookedAt = now;
      if (found !== null && seen.version !== found.version) seen = { version: found.version, since: watched };
      const isFree =
        found === null || lease === null || lease.isReleased || watched - seen.since >= LEASE_TIME;
      if (isFree) {
        const next: Lease = {
          holder: name,
          token,
          fence: (lease?.fence ?? 0) + 1,
          renewals: 0,
          isReleased: false,
        };
        const version = await write(objects, next, found === null ? 'absent' : { version: found.version });
        if (version !== null) return new ArchiveLease(objects, clock, next, version);
        continue;
      }
      if (watched >= LEASE_TIME + patience) throw archiveHeld(objects.location, lease.holder);
      if (waitsFor === null) onHeld?.(lease.holder);
      waitsFor = lease.holder;
      await clock.sleep(LOOK, signal);
    }
  }

  /** Rejects with `ARCHIVE_LOST` if another holder took it. Other errors leave it as it is: try again. */
  async renew(): Promise<void> {
    this.#throwIfLost();
    const next = { ...this.#lease, renewals: this.#lease.renewals + 1 };
    const begun = this.#clock.now();
    const version = await write(this.#objects, next, { version: this.#version });
    if (version === null) {
      this.#lostTo = (await this.#otherHolder()) ?? 'one that is gone';
      this.#throwIfLost();
    }
    this.#version = version as string;
    this.#lease = next;
    this.#renewedAt = begun;
  }

  /** Whether it was renewed lately enough to write. Throws `ARCHIVE_LOST` once another holder took it. */
  get isHeld(): boolean {
    this.#throwIfLost();
    return this.#clock.now() - this.#renewedAt < LEASE_TIME;
  }

  /** Gives it up, so that the next holder need not wait. Never rejects: without an answer it expires. */
  async release(): Promise<void> {
    if (this.#lostTo !== null) return;
    const released = { ...this.#lease, isReleased: true };
    await write(this.#objects, released, { version: this.#version }).catch(() => null);
  }

  #throwIfLost(): void {
    if (this.#lostTo !== null) throw archiveLost(this.#objects.location, this.#lostTo);
  }

  async #otherHolder(): Promise<string | null> {
    const found = await this.#objects.get(KEY);
    return found === null ? null : (decode(found.bytes)?.holder ?? null);
  }
}

/** Resolves to the version; null: the lease changed meanwhile. */
async function write(
  objects: ObjectStore,
  lease: Lease,
  condition: 'absent' | { readonly version: string },
): Promise<string | null> {
  const bytes = Buffer.from(JSON.stringify(lease));
  const version = await objects.put(KEY, bytes, condition);
  if (version !== null) return version;
  // A request whose answer was lost is sent again by the SDK, and then meets itself.
  const found = await objects.get(KEY);
  return found?.bytes.equals(bytes) === true ? found.version : null;
}

/** Null for what is not a lease; whoever finds that takes it over. */
function decode(bytes: Buffer): Lease | null {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return Value.Check(Lease, value) ? value : null;
  } catch {
    return null;
  }
}
