/** Durations as people write them in the configuration and in URLs: `500ms`, `30s`, `5m`, `2h`, `7d`, `4w`. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `30s` → 30000 (milliseconds). Null for anything that is not one whole number directly followed by one unit. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,12})(ms|s|m|h|d|w)$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}

/** 90000 → `90s`: the largest unit that divides it, so that `parseDuration` gives the same number back. */
export function formatDuration(milliseconds: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, size] = units.find(([, size]) => milliseconds >= size && milliseconds % size === 0) ?? [
    'ms',
    1,
  ];
  return `${milliseconds / size}${unit}`;
}
