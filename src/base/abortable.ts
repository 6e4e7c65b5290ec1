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
  let rejectAborted = () => {};
  const aborted = new Promise<never>((_, reject) => {
    rejectAborted = () => reject(signal.reason);
  });
  signal.addEventListener('abort', rejectAborted, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([run(signal), aborted]);
  } finally {
    outer?.removeEventListener('abort', abort);
    // The race's result hangs on this promise: whoever keeps the signal, as the SDK does, would keep a poll's rows too.
    signal.removeEventListener('abort', rejectAborted);
  }
}
