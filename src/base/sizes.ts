const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `5GB` → 5368709120 bytes, in powers of 1024. Null unless the text is one whole number followed by one unit, without a space. */
export function parseBytes(text: string): number | null {
  const match = /^(\d{1,9})(B|KB|MB|GB|TB)$/.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * 1024 ** UNITS.indexOf(match[2] as string);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** 40894464 → `39 MB`, in powers of 1024 as DynamoDB's console does. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })} ${UNITS[power]}`;
}
