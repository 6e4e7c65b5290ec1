import { setImmediate as nextIteration } from 'node:timers/promises';

/** How long a loop over rows may hold the event loop, in milliseconds; far below the 50 ms promised for `/healthz`. */
const SLICE = 8;

/** Call it now and then in a long loop: it gives way to other work once the slice is used up. */
export function createYielder(): () => Promise<void> | undefined {
  let sliceEnd = performance.now() + SLICE;
  return () => {
    if (performance.now() < sliceEnd) return undefined;
    return nextIteration().then(() => {
      sliceEnd = performance.now() + SLICE;
    });
  };
}

/** Lets timers, sockets and other work run before a long loop goes on. */
export async function yieldToEventLoop(): Promise<void> {
  await nextIteration();
}
