import type { Clock } from '../base/clock.js';

const TICK = 1_000;

/** Runs `step` at each whole second until the signal aborts, one at a time. `onError` is called with what it throws. */
export async function everySecond(
  step: () => Promise<void>,
  {
    clock,
    signal,
    onError,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(TICK - (clock.now() % TICK), signal).catch(() => undefined);
    if (signal.aborted) return;
    await step().catch(onError);
  }
}
