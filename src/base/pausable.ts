import { createYielder } from './event-loop.js';

/** Work that can pause wherever it yields, and returns its result: the same code for little work and for much. */
export type Pausable<T> = Generator<void, T, void>;

/** Does all of it now. For work that takes less than a millisecond. */
export function atOnce<T>(work: Pausable<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Yields to the event loop whenever the work can pause and its time slice is used up. Rejects with the signal's reason. */
export async function inSlices<T>(work: Pausable<T>, signal?: AbortSignal): Promise<T> {
  const breathe = createYielder();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    const pause = breathe();
    if (pause === undefined) continue;
    await pause;
    signal?.throwIfAborted();
  }
}

/** Items handled between two pauses where handling one takes less than a microsecond or two. */
const ITEMS_PER_PAUSE = 256;

/** `items.map(convert)`, which pauses. */
export function* mapped<A, B>(
  items: readonly A[],
  convert: (item: A, index: number) => B,
): Pausable<readonly B[]> {
  const results: B[] = [];
  for (let index = 0; index < items.length; index++) {
    results.push(convert(items[index]!, index));
    if (index % ITEMS_PER_PAUSE === 0) yield;
  }
  return results;
}

/** Items that the engine sorts in one go: a tenth of a millisecond. */
const SORTED_AT_ONCE = 512;

/** `items.toSorted(compare)`, stable, which pauses: parts are sorted, then merged two by two. */
export function* sorted<T>(items: readonly T[], compare: (a: T, b: T) => number): Pausable<readonly T[]> {
  let from = items;
  let to: T[] = [];
  for (let start = 0; start < items.length; start += SORTED_AT_ONCE) {
    for (const item of items.slice(start, start + SORTED_AT_ONCE).sort(compare)) to.push(item);
    yield;
  }
  for (let width = SORTED_AT_ONCE; width < items.length; width *= 2) {
    from = to;
    to = [];
    for (let start = 0; start < items.length; start += 2 * width) {
      yield* merge(from, start, Math.min(start + width, items.length), start + 2 * width, compare, to);
    }
  }
  return to;
}

/** Appends the sorted parts `start` to `middle` and `middle` to `end` to `to`, in order. */
function* merge<T>(
  items: readonly T[],
  start: number,
  middle: number,
  end: number,
  compare: (a: T, b: T) => number,
  to: T[],
): Pausable<void> {
  const stop = Math.min(end, items.length);
  let left = start;
  let right = middle;
  while (left < middle || right < stop) {
    const isLeft = right >= stop || (left < middle && compare(items[left]!, items[right]!) <= 0);
    to.push(items[isLeft ? left++ : right++]!);
    if (to.length % ITEMS_PER_PAUSE === 0) yield;
  }
}
