/**
 * What reading a table costs, in US dollars: estimates for `--check`, the dataset `collector` and the docs, not a bill.
 * Free tiers, reserved capacity and discounts are left out.
 */

/**
 * Per million read request units of an on-demand table (standard class), since the price was halved on 1 November 2024:
 * https://aws.amazon.com/dynamodb/pricing/on-demand/
 */
const READ_REQUEST_UNITS_MILLION: Readonly<Record<string, number>> = {
  'us-east-1': 0.125,
  'us-east-2': 0.125,
  'us-west-2': 0.125,
  'ap-northeast-2': 0.1355,
};

/** For any other region, and when the region is not known: most of them lie within a tenth of it. */
const READ_REQUEST_UNITS_MILLION_ELSEWHERE = 0.14;

/**
 * Price of so many read capacity units on an on-demand table. A provisioned table is not billed per read: there the
 * units are taken from the capacity that is paid for anyway.
 */
export function readPrice(units: number, region: string | null): number {
  const million = READ_REQUEST_UNITS_MILLION[region ?? ''] ?? READ_REQUEST_UNITS_MILLION_ELSEWHERE;
  return (units / 1_000_000) * million;
}

/** Per 100,000 GetRecords requests to a stream: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
const STREAM_READS_HUNDRED_THOUSAND = 0.02;

/** Price of so many GetRecords requests to streams. Finding the shards is free. */
export function streamPrice(reads: number): number {
  return (reads / 100_000) * STREAM_READS_HUNDRED_THOUSAND;
}

/**
 * Read capacity units of one Scan over a table of that many bytes: one per 4 KB, half of it when eventually consistent;
 * a Scan of nothing is charged too, once per segment.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export function scanUnits(
  bytes: number,
  options: { readonly consistent: boolean; readonly segments?: number },
): number {
  const blocks = Math.max(Math.ceil(bytes / 4_096), options.segments ?? 1);
  return options.consistent ? blocks : blocks / 2;
}
