/**
 * What reading a table costs, in US dollars: estimates for `--check`, the dataset `collector` and the docs, not a bill.
 * Free tiers, reserved capacity and discounts are left out.
 */

/**
 * US dollars per million read request units of an on-demand table (standard class): half of what they were until the cut of
 * 1 November 2024 (https://aws.amazon.com/blogs/database/new-amazon-dynamodb-lowers-pricing-for-on-demand-throughput-and-global-tables/).
 * As of November 2026; the list is https://aws.amazon.com/dynamodb/pricing/on-demand/. Compared with published prices:
 * us-east-1, ap-northeast-1 and ap-northeast-2. All others are half of the list before the cut.
 */
const READ_REQUEST_UNITS_MILLION: Readonly<Record<string, number>> = {
  'us-east-1': 0.125,
  'us-east-2': 0.125,
  'us-west-1': 0.1395,
  'us-west-2': 0.125,
  'us-gov-east-1': 0.15,
  'us-gov-west-1': 0.15,
  'ca-central-1': 0.1375,
  'sa-east-1': 0.1875,
  'eu-central-1': 0.1525,
  'eu-north-1': 0.1345,
  'eu-south-1': 0.1485,
  'eu-west-1': 0.1415,
  'eu-west-2': 0.1485,
  'eu-west-3': 0.1485,
  'af-south-1': 0.165,
  'me-south-1': 0.1555,
  'ap-east-1': 0.157,
  'ap-northeast-1': 0.1425,
  'ap-northeast-2': 0.1355,
  'ap-northeast-3': 0.1425,
  'ap-south-1': 0.1425,
  'ap-southeast-1': 0.1425,
  'ap-southeast-2': 0.1425,
};

/** For any other region, and when the region is not known: the highest, so that a budget is not exceeded. */
const READ_REQUEST_UNITS_MILLION_ELSEWHERE = Math.max(...Object.values(READ_REQUEST_UNITS_MILLION));

/** Reads of the table class Standard-IA cost a quarter more: USD 0.155 in us-east-1, 0.1695 in ap-northeast-2; rounded up. */
const INFREQUENT_ACCESS = 1.26;

/**
 * Price of so many read capacity units on an on-demand table. A provisioned table is not billed per read: there the
 * units are taken from the capacity that is paid for anyway.
 */
export function readPrice(
  units: number,
  region: string | null,
  table: { readonly isInfrequentAccess: boolean } = { isInfrequentAccess: false },
): number {
  const million = READ_REQUEST_UNITS_MILLION[region ?? ''] ?? READ_REQUEST_UNITS_MILLION_ELSEWHERE;
  return (units / 1_000_000) * million * (table.isInfrequentAccess ? INFREQUENT_ACCESS : 1);
}

/**
 * A GetRecords request to a stream costs as much as so many read request units: USD 0.02 per 100,000 in us-east-1
 * (https://aws.amazon.com/dynamodb/pricing/on-demand/). As of November 2026, in every region whose price was found
 * published the ratio is the same: us-east-1, ap-northeast-2 (0.0217), and 0.0228 where a million read request units cost
 * 0.285 before the cut, such as ap-northeast-1. All others are not verified: they follow from the ratio.
 */
const STREAM_READ = 1.6;

/** Price of so many GetRecords requests to streams. Finding the shards is free. */
export function streamPrice(reads: number, region: string | null): number {
  return readPrice(reads * STREAM_READ, region);
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
