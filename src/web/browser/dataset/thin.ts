/** A line's points, in any order. */
export interface Points {
  readonly times: number[];
  /** NaN where there is no value. */
  readonly values: number[];
}

/** Spans of time, two points each: more than a screen can show. */
const SPANS = 2_000;

/**
 * The points in time order. If there are very many, only the minimum and maximum of each of `SPANS` equal spans of time,
 * which is what a screen would show; a span without values remains a gap.
 */
export function thin(points: Points): Points {
  const { times, values } = points;
  if (times.length <= 2 * SPANS) return pick(points, [...times.keys()]);
  let [first, last] = [times[0]!, times[0]!];
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  const width = (last - first) / SPANS || 1;
  const [least, greatest, absent] = [empty(), empty(), empty()];
  for (let index = 0; index < times.length; index += 1) {
    const span = Math.min(SPANS - 1, Math.floor((times[index]! - first) / width));
    const value = values[index]!;
    if (Number.isNaN(value)) absent[span] = index;
    else {
      if (least[span] === -1 || value < values[least[span]!]!) least[span] = index;
      if (greatest[span] === -1 || value > values[greatest[span]!]!) greatest[span] = index;
    }
  }
  const kept = new Set<number>();
  for (let span = 0; span < SPANS; span += 1) {
    for (const index of least[span] === -1 ? [absent[span]!] : [least[span]!, greatest[span]!])
      kept.add(index);
  }
  kept.delete(-1);
  return pick(points, [...kept]);
}

function empty(): Int32Array {
  return new Int32Array(SPANS).fill(-1);
}

function pick({ times, values }: Points, indexes: number[]): Points {
  indexes.sort((a, b) => times[a]! - times[b]!);
  return { times: indexes.map((index) => times[index]!), values: indexes.map((index) => values[index]!) };
}
