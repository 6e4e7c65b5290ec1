import type { Pausable } from '../../base/pausable.js';

/** So many numbers are sorted rather than parted further. */
const FEW = 24;
/** Values are parted so often at most before they are sorted: chosen badly each time, they would take forever. */
const MOST_PARTINGS = 64;

/**
 * The point in proportion between the two values at a fraction of the sorted values, to the last digit what
 * `direct/aggregate-values.ts` makes of them; NaN of none. Puts the values in another order.
 */
export function* quantileOf(values: Float64Array, fraction: number): Pausable<number> {
  if (values.length === 0) return Number.NaN;
  const place = (values.length - 1) * fraction;
  const below = Math.floor(place);
  yield* select(values, below);
  const low = values[below]!;
  const high = below + 1 < values.length ? leastOf(values, below + 1) : low;
  return low + (high - low) * (place - below);
}

/** Puts the value to `place` that a sort would put there, with none before it that is greater, and none behind that is less. */
function* select(values: Float64Array, place: number): Pausable<void> {
  let [from, to] = [0, values.length];
  for (let partings = 0; to - from > FEW && partings < MOST_PARTINGS; partings++) {
    const [less, greater] = parted(values, from, to, middleOf(values, from, to));
    if (place < less) to = less;
    else if (place >= greater) from = greater;
    else return;
    yield;
  }
  values.subarray(from, to).sort();
  yield;
}

/** The middle one of nine values, so that values in order are not the slowest ones. */
function middleOf(values: Float64Array, from: number, to: number): number {
  const apart = (to - from - 1) / 8;
  const nine = Float64Array.from({ length: 9 }, (_, index) => values[from + Math.floor(index * apart)]!);
  return nine.sort()[4]!;
}

/** Puts lesser values first, then equal ones, then greater ones; returns where the equal ones begin and end. */
function parted(values: Float64Array, from: number, to: number, pivot: number): readonly [number, number] {
  let [less, at, greater] = [from, from, to];
  while (at < greater) {
    const value = values[at]!;
    if (value < pivot) {
      values[at++] = values[less]!;
      values[less++] = value;
    } else if (value > pivot) {
      values[at] = values[--greater]!;
      values[greater] = value;
    } else at++;
  }
  return [less, greater];
}

function leastOf(values: Float64Array, from: number): number {
  let least = values[from]!;
  for (let at = from + 1; at < values.length; at++) if (values[at]! < least) least = values[at]!;
  return least;
}
