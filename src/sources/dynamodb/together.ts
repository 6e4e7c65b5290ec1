import { setMaxListeners } from 'node:events';

/**
 * Runs jobs concurrently under one signal. The first failure aborts the others and is thrown once all have ended, so
 * nothing continues in the background. Throws the outer signal's reason if that aborts.
 */
export async function together<T>(
  signal: AbortSignal,
  jobs: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T[]> {
  const controller = new AbortController();
  // Each request adds a listener, so many at a time are normal.
  setMaxListeners(0, controller.signal);
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const running = jobs.map(async (job) => {
      try {
        return await job(controller.signal);
      } catch (error) {
        // Only the first one counts: later failures follow from it.
        controller.abort(error);
        throw error;
      }
    });
    await Promise.allSettled(running);
    if (controller.signal.aborted) throw controller.signal.reason;
    return await Promise.all(running);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
