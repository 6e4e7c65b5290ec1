/**
 * Durations as written in the configuration and in URLs: `500ms`, `30s`, `5m`, `2h`, `7d`, `4w`. The package `ms` accepts
 * more than is documented here (`1.5 hours`, `-3 min`, a bare `30`), and has no weeks in its output.
 */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `30s` → 30000, in milliseconds. Null unless the text is one whole number followed by one unit, without a space. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,12})(ms|s|m|h|d|w)$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}

/** 90000 milliseconds → `90s`, in the largest unit that divides it. `parseDuration` gives the same number back. */
export function formatDuration(milliseconds: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, size] = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0) ?? [
    'ms',
    1,
  ];
  return `${milliseconds / size}${unit}`;
}
