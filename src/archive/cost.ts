import { RENEWAL } from './lease.js';

/** S3 Standard in us-east-1, USD, on 2026-11-28: https://aws.amazon.com/s3/pricing/ */
const PER_PUT = 0.005 / 1_000;
const PER_GB_MONTH = 0.023;

const MONTH = 30 * 86_400_000;

/** USD per month for renewing the lease. */
export const LEASE_PRICE = (MONTH / RENEWAL) * PER_PUT;

/**
 * USD per month for a point every `every` milliseconds in which each of `files` changed, and for `bytes` stored. An upper
 * bound: files that did not change are not sent, and parts are compressed.
 */
export function monthlyPrice(every: number, files: number, bytes: number): number {
  return LEASE_PRICE + (MONTH / every) * (files + 1) * PER_PUT + (bytes / 1e9) * PER_GB_MONTH;
}
