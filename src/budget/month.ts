/** Months as AWS bills them: calendar months in UTC (https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-what-is.html). */

/** The longest month, in milliseconds: a rate that fits it fits every other. */
export const LONGEST_MONTH = 31 * 86_400_000;

/** `2026-11` of a time in milliseconds since the epoch. */
export function monthOf(time: number): string {
  return new Date(time).toISOString().slice(0, 7);
}

/** When the month of that time ends, in milliseconds since the epoch. */
export function endOfMonth(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
