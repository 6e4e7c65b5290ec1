import { parseDays } from '../options/kinds.js';
import type { MistakeReport, Path } from '../options/mistakes.js';
import { Days, defaultOf } from '../options/schema.js';

/** How long a log and changes are kept, in local days. */
export interface Keeping {
  /** Days that the CSV file holds, today included. */
  readonly keep: number;
  /** Days kept in all; null: for ever. */
  readonly retention: number | null;
}

/** The options `keep` and `retention`, which every kind of source has. */
export const Keep = Days({
  description:
    'Days of `timeZone`, today included, that the CSV file of a log or of changes holds; older days are sealed as Parquet.',
  default: 7,
  examples: [7, '4w'],
});

export const Retention = Days({
  description:
    'Days that a log or changes keep in all, sealed days included; older ones are deleted. By default all are kept.',
  examples: [365, '104w'],
});

/** `keep` and `retention` as the file has them, in days. */
export function keepingOf(options: {
  readonly keep?: number | string;
  readonly retention?: number | string;
}): Keeping {
  return {
    keep: parseDays(options.keep ?? defaultOf<number>(Keep)) ?? 1,
    retention: parseDays(options.retention),
  };
}

/** A retention shorter than what the CSV file holds is a mistake. */
export function checkKeeping({ keep, retention }: Keeping, path: Path, report: MistakeReport): void {
  if (retention === null || retention >= keep) return;
  report.add({
    path: [...path, 'retention'],
    wrong: `${retention} days are fewer than the ${keep} that the CSV file keeps`,
    remedy: `write ${keep} or more, or lower keep`,
  });
}
