/** Work that lasts longer is split, so that scrolling and typing never wait: well under a frame's 16 ms. */
const TURN = 10;

/** Splits long work on the page's only thread into turns. */
export class Turns {
  readonly #signal: AbortSignal;
  #since = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Waits for what the page has to do, once the turn is over; true when it did. Rejects when the signal says stop. */
  async giveWay(): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#since < TURN) return false;
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal.throwIfAborted();
    this.#since = performance.now();
    return true;
  }
}
