import { setImmediate as nextIteration } from 'node:timers/promises';

/** Milliseconds that a loop over rows may block the event loop: well below the 50 ms promised for `/healthz`. */
const SLICE = 8;

/** Returns a function to call now and then in a long loop. Once its time slice is used up, it yields to the event loop. */
export function createYielder(): () => Promise<void> | undefined {
  let sliceEnd = performance.now() + SLICE;
  return () => {
    if (performance.now() < sliceEnd) return undefined;
    return nextIteration().then(() => {
      sliceEnd = performance.now() + SLICE;
    });
  };
}

/** Resolves after timers, sockets and other pending work have run. */
export async function yieldToEventLoop(): Promise<void> {
  await nextIteration();
}
