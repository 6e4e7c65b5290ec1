import { closestMatch } from 'leven';

/** Names longer than this are not compared: the comparison's cost grows with the product of the lengths. */
const LONGEST = 100;

/** The candidate that was probably meant: another case, a longer or a shorter form, or up to half the letters differ. */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  if (name === '' || name.length > LONGEST) return undefined;
  const lower = name.toLowerCase();
  const same = candidates.find((candidate) => candidate.toLowerCase() === lower);
  if (same !== undefined) return same;
  const close = closestMatch(name, candidates, { maxDistance: Math.floor(name.length / 3) });
  return close ?? candidates.find((candidate) => candidate.toLowerCase().startsWith(lower));
}
