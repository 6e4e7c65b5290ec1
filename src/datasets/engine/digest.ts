import { createHash } from 'node:crypto';

/** A short name for a list of states: another list, another name. */
export function digest(parts: readonly (string | null)[]): string {
  return createHash('sha1').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
