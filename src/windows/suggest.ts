import { closestMatch } from 'leven';

/** Names longer than this are not compared: the comparison's cost grows with the product of the lengths. */
const LONGEST = 100;

/** The candidate that was probably meant: another case, up to a third of the letters different, or more at the end. */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  if (name === '' || name.length > LONGEST) return undefined;
  const lower = name.toLowerCase();
  const byLower = new Map(candidates.map((candidate) => [candidate.toLowerCase(), candidate]));
  const known = [...byLower.keys()];
  const close =
    closestMatch(lower, known, { maxDistance: Math.ceil(name.length / 3) }) ??
    known.find((candidate) => candidate.startsWith(lower));
  return close === undefined ? undefined : byLower.get(close);
}
