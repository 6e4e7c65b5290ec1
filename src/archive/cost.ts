import { RENEWAL } from './lease.js';

/** S3 Standard in us-east-1, USD, on 2026-11-28: https://aws.amazon.com/s3/pricing/ */
const PER_PUT = 0.005 / 1_000;
const PER_GB_MONTH = 0.023;
const PER_GET = 0.0004 / 1_000;
/** Per GB that leaves the bucket's region: to another one, and to the internet (the first 10 TB of a month). */
const PER_GB_TO_REGION = 0.02;
const PER_GB_TO_INTERNET = 0.09;

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

/**
 * What fetching costs of days that are in the archive only, in words: how often a day is fetched depends on what is asked.
 */
export const FETCHING_PRICE = `each that is fetched costs USD ${PER_GET.toFixed(7)}, and each GB of them nothing in the bucket's region, USD ${PER_GB_TO_REGION} in another one, USD ${PER_GB_TO_INTERNET} outside of AWS`;
