/*
 * Numbers of any length, exactly. A column of numbers that no DuckDB type holds without losing digits stands in SQL as
 * text; it is compared and sorted by a key, text that compares as the numbers do. `decimalKey` writes it here and
 * `decimalKeySql` in SQL, alike (test/windows/decimal.test.ts).
 */

/** 0.`digits` × 10^`exponent`. The digits begin and end with another one than 0; zero has none, and no sign. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const NUMBER = /^(-?)0*(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,6}))?$/;
const PLAIN = /^-?\d+(\.\d+)?$/;

/** Digits that a number may be written with; DynamoDB's have up to 38, with up to 130 zeros before or behind. */
const MAX_LENGTH = 400;

/** A plain decimal (`-12.50`) as people write one, or null. */
export function parsePlainDecimal(text: string): Decimal | null {
  return text.length <= MAX_LENGTH && PLAIN.test(text) ? parseDecimal(text) : null;
}

/** A number that is known to be one, with or without an exponent. */
export function parseDecimal(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponentText = '0'] = NUMBER.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+|0+$/g, '');
  if (digits === '') return { negative: false, digits, exponent: 0 };
  const leading = whole === '' ? fraction.replace(/^0+/, '').length - fraction.length : whole.length;
  return { negative: sign === '-', digits, exponent: leading + Number(exponentText) };
}

/** Plain decimal notation without superfluous zeros: `-12.5`. */
export function formatDecimal({ negative, digits, exponent }: Decimal): string {
  if (digits === '') return '0';
  const sign = negative ? '-' : '';
  if (exponent <= 0) return `${sign}0.${'0'.repeat(-exponent)}${digits}`;
  const whole = digits.slice(0, exponent).padEnd(exponent, '0');
  return digits.length > exponent ? `${sign}${whole}.${digits.slice(exponent)}` : sign + whole;
}

/** Added to exponents so that they have no sign, and the digits that this takes. */
const EXPONENT_BIAS = 500_000_000;
const EXPONENT_DIGITS = 9;

/** Text whose order by code units is the order of the numbers; equal for equal numbers. */
export function decimalKey({ negative, digits, exponent }: Decimal): string {
  if (digits === '') return '1';
  const biased = String(EXPONENT_BIAS + (negative ? -exponent : exponent)).padStart(EXPONENT_DIGITS, '0');
  if (!negative) return `2${biased}${digits}`;
  // The more digits, the less a negative number is: complemented, and ended by what is greater than any digit.
  return `0${biased}${digits.replace(/\d/g, (digit) => String(9 - Number(digit)))}:`;
}

/** SQL of the key of a number that stands as text; NULL for NULL. */
export function decimalKeySql(text: string): string {
  const mantissa = `split_part(lower(${text}), 'e', 1)`;
  const digits = `trim(replace(${mantissa}, '.', ''), '-0')`;
  const whole = `ltrim(split_part(${mantissa}, '.', 1), '-0')`;
  const fraction = `split_part(${mantissa}, '.', 2)`;
  const shift = `coalesce(TRY_CAST(split_part(lower(${text}), 'e', 2) AS BIGINT), 0)`;
  const exponent = `(${shift} + CASE WHEN ${whole} = ''
    THEN length(ltrim(${fraction}, '0')) - length(${fraction}) ELSE length(${whole}) END)`;
  const biased = (signed: string) =>
    `lpad(CAST(${EXPONENT_BIAS} ${signed} AS VARCHAR), ${EXPONENT_DIGITS}, '0')`;
  return `CASE
    WHEN ${text} IS NULL THEN NULL
    WHEN ${digits} = '' THEN '1'
    WHEN starts_with(${text}, '-')
      THEN '0' || ${biased(`- ${exponent}`)} || translate(${digits}, '0123456789', '9876543210') || ':'
    ELSE '2' || ${biased(`+ ${exponent}`)} || ${digits}
  END`;
}

/** The number in units of 10^-`scale`, cut off towards zero, and whether nothing was cut off. */
export function unitsOf(
  { negative, digits, exponent }: Decimal,
  scale: number,
): { readonly units: bigint; readonly exact: boolean } {
  const length = exponent + scale;
  if (length <= 0) return { units: 0n, exact: digits === '' };
  const units = BigInt(digits.slice(0, length).padEnd(length, '0'));
  return { units: negative ? -units : units, exact: digits.length <= length };
}
