import { closestMatch } from 'leven';

/** Longer names are not compared: the cost grows with the product of the lengths. */
const LONGEST = 100;

/**
 * The candidate that was probably meant: one in which at most a third of the letters differ, ignoring case, or one that
 * begins with the text. Undefined if none is close.
 */
export function closest(text: string, candidates: Iterable<string>): string | undefined {
  if (text === '' || text.length > LONGEST) return undefined;
  const lower = text.toLowerCase();
  const byLower = new Map(Array.from(candidates, (candidate) => [candidate.toLowerCase(), candidate]));
  const known = [...byLower.keys()];
  const maxDistance = Math.max(1, Math.round(text.length / 3));
  const found =
    closestMatch(lower, known, { maxDistance }) ?? known.find((candidate) => candidate.startsWith(lower));
  return found === undefined ? undefined : byLower.get(found);
}
