/** Milliseconds of one slice: well under the 16 ms of a frame, so that scrolling and typing never wait. */
const SLICE = 10;

/** Splits long work on the page's only thread into time slices. */
export class TimeSlices {
  readonly #signal: AbortSignal;
  #since = performance.now();

  /** `signal` stops the work: `yieldWhenOver` then rejects with its reason. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Lets the page do other work once the slice is used up. Resolves to true if it did. */
  async yieldWhenOver(): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#since < SLICE) return false;
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal.throwIfAborted();
    this.#since = performance.now();
    return true;
  }
}
