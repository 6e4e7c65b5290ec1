/** Athena, per TB scanned in us-east-1, USD, on 2026-11-28: https://aws.amazon.com/athena/pricing/ */
const PER_TB = 5;
/** Athena counts 2^40 bytes as a terabyte, and at least that many bytes for a query. */
const TB = 2 ** 40;
const LEAST = 10 * 2 ** 20;

/** US dollars for a query that scanned so many bytes; a query that read nothing costs nothing. */
export function priceOf(bytesScanned: number): number {
  return bytesScanned === 0 ? 0 : (Math.max(bytesScanned, LEAST) / TB) * PER_TB;
}
