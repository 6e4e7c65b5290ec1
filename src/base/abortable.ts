/**
 * Runs work with the controller's signal, which also aborts with the outer one. Rejects with the signal's reason as soon as it
 * aborts, even if the work ignores it.
 */
export async function abortable<T>(
  controller: AbortController,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = controller;
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([run(signal), aborted]);
  } finally {
    outer?.removeEventListener('abort', abort);
  }
}
