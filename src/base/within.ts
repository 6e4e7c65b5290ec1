import type { Clock } from './clock.js';

/** Waits for work, but no longer than that many milliseconds. Resolves to whether it settled; never rejects. */
export async function within(
  clock: Clock,
  milliseconds: number,
  work: Promise<unknown> | null,
): Promise<boolean> {
  const waiting = new AbortController();
  const tooLong = clock.sleep(milliseconds, waiting.signal).then(no, no);
  const isEnded = await Promise.race([Promise.resolve(work).then(yes, yes), tooLong]);
  waiting.abort();
  return isEnded;
}

const yes = () => true;
const no = () => false;
