import type { DatasetJson } from '../types.js';
import type { Words } from '../words/words.js';

/** Days that are named; the rest are counted. */
const NAMED = 5;

/** Which sealed days of a dataset cannot be read, and why; the empty string: all can. */
export function missingText(
  words: Words,
  { missingDays, missingReasons }: Pick<DatasetJson, 'missingDays' | 'missingReasons'>,
): string {
  if (missingDays.length === 0) return '';
  const named = missingDays.slice(0, NAMED).join(', ');
  return words.missingDays(
    missingDays.length > NAMED ? `${named} …` : named,
    missingDays.length,
    missingReasons.join('; '),
  );
}
