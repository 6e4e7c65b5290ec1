import { notADynamoDbNumber } from './errors.js';

/** The form of nearly every number on the wire; signed zeros and exponents do not match. */
const PLAIN = /^(?:-?[1-9]\d*(?:\.\d+)?|0(?:\.\d+)?|-0\.\d*[1-9]\d*)$/;
const ANY = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * DynamoDB numbers have up to 38 digits and lie between 1E-130 and 9.99E+125
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html); numbers far
 * outside are rejected before they are written with thousands of zeros.
 */
const LARGEST_EXPONENT = 400;

/**
 * A DynamoDB number as plain decimal text with all its digits: `1E+20` becomes `100000000000000000000`.
 * Does not use JavaScript numbers. Zero has no sign: `-0` becomes `0`, as DynamoDB itself stores it.
 */
export function plainDecimal(text: string): string {
  return PLAIN.test(text) ? text : written(text);
}

function written(text: string): string {
  const match = ANY.exec(text);
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match ?? [];
  const exponent = Number(exponentText);
  if (match === null || whole + fraction === '' || Math.abs(exponent) > LARGEST_EXPONENT) {
    throw notADynamoDbNumber(text);
  }
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '';
  const after = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  const size = `${before.replace(/^0+/, '') || '0'}${after === '' ? '' : `.${after}`}`;
  return sign === '-' && /[1-9]/.test(digits) ? `-${size}` : size;
}

/** The longest key a number can have: class, exponent, 19 pairs of digits, end. */
export const NUMBER_KEY_BYTES = 22;

const CODE_0 = 48;
const CODE_9 = 57;
const CODE_POINT = 46;
const CODE_MINUS = 45;
const NEGATIVE = 1;
const ZERO = 2;
const POSITIVE = 3;
/** 1E-130 is 0.1E-129 in the form used here, so that exponents fill exactly one byte. */
const EXPONENT_BIAS = 129;

/**
 * Writes bytes that compare (byte by byte) as the numbers do, exactly, all 38 digits: class, exponent, digits in
 * pairs, end; the bytes of a negative number are complemented. No key is the beginning of another one.
 * The bytes from `start` to `stop` of `plain` are text as `plainDecimal` writes it. Returns the offset behind the last
 * byte written.
 */
export function writeNumberKey(
  plain: Uint8Array,
  start: number,
  stop: number,
  target: Uint8Array,
  offset: number,
): number {
  const negative = plain[start] === CODE_MINUS;
  let exponent = 0;
  let seenPoint = false;
  let first = -1;
  let last = -1;
  for (let at = negative ? start + 1 : start; at < stop; at += 1) {
    const code = plain[at]!;
    if (code === CODE_POINT) {
      seenPoint = true;
      continue;
    }
    if (code !== CODE_0) {
      if (first < 0) first = at;
      last = at;
    }
    if (!seenPoint && first >= 0) exponent += 1;
    else if (seenPoint && first < 0) exponent -= 1;
  }
  let end = offset;
  if (first < 0) {
    target[end++] = ZERO;
    return end;
  }
  const biased = exponent + EXPONENT_BIAS;
  if (biased < 0 || biased > 255) throw notADynamoDbNumber(textOf(plain, start, stop));
  const flip = negative ? 0xff : 0;
  target[end++] = negative ? NEGATIVE : POSITIVE;
  target[end++] = biased ^ flip;
  let pair = -1;
  for (let at = first; at <= last; at += 1) {
    const code = plain[at]!;
    if (code < CODE_0 || code > CODE_9) continue;
    if (pair < 0) {
      pair = (code - CODE_0) * 10;
    } else {
      target[end++] = (pair + (code - CODE_0) + 1) ^ flip;
      pair = -1;
    }
  }
  if (pair >= 0) target[end++] = (pair + 1) ^ flip;
  target[end++] = flip;
  return end;
}

/** Compares two DynamoDB numbers (any notation) exactly, for sorting. */
export function compareNumbers(a: string, b: string): number {
  return Buffer.compare(numberKey(a), numberKey(b));
}

function numberKey(text: string): Uint8Array {
  const plain = Buffer.from(plainDecimal(text));
  const bytes = new Uint8Array(NUMBER_KEY_BYTES + plain.length);
  return bytes.subarray(0, writeNumberKey(plain, 0, plain.length, bytes, 0));
}

function textOf(bytes: Uint8Array, start: number, stop: number): string {
  return Buffer.from(bytes.subarray(start, stop)).toString();
}
