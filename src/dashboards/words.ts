import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { colours } from './look.js';

/** A dataset's freshness as the service names it. */
export const freshness: ValueMapping[] = [
  words({ fresh: colours.good, waiting: colours.look, late: colours.look, stale: colours.act }),
];

/** Shows values as words with the colours of their meaning. */
export function words(colourOf: Readonly<Record<string, string>>): ValueMapping {
  const entries = Object.entries(colourOf).map(([word, color], index) => [
    word,
    { text: word, color, index },
  ]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(entries) };
}
