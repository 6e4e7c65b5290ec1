/*
 * Finds the attributes of items in the bytes of a page, without creating objects.
 *
 * This is not `JSON.parse`, because it is the hot path of every poll: values are copied from the page to the CSV as bytes,
 * while an object with several members for each attribute of each item is expensive. It supports only the form that
 * DynamoDB writes, without spaces between tokens. A page in any other form (`NOT_PLAIN`) is rewritten by `JSON.stringify`,
 * and values that are not plain (`OTHER`) are left to `JSON.parse`. A property test compares the two.
 */

/** How the bytes of a field become a cell. */
export const TEXT = 0;
/** Text that contains a comma; a quote or a line end would be escaped in JSON. */
export const TEXT_TO_QUOTE = 1;
/** In plain decimal notation already. */
export const NUMBER = 2;
export const TRUE = 3;
export const FALSE = 4;
export const NULL = 5;
export const BINARY = 6;
/** Anything else: the field is the whole attribute value as JSON. */
export const OTHER = 7;

/** What `scan` returns for an item of another form. */
export const NOT_PLAIN = -1;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_B = 0x42;
const LETTER_N = 0x4e;
const LETTER_S = 0x53;

const REST_OF_NULL = Buffer.from('ULL":true}');
const REST_OF_TRUE = Buffer.from('OOL":true}');
const REST_OF_FALSE = Buffer.from('OOL":false}');

/** Numbers kept per field: attribute, how it becomes a cell, start and end of its bytes. */
const FIELD = 4;

/** Whether the expected bytes are at `at`. */
function stands(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[at + index] !== expected[index]) return false;
  }
  return true;
}

/** The offset after the object, array or string that starts at `at`; `NOT_PLAIN` if it does not end. Checks nothing inside. */
function behindValue(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let index = at;
  while (index < end) {
    const byte = bytes[index]!;
    if (byte === QUOTE) {
      index += 1;
      while (index < end && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
    } else if (byte === OPEN || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_ARRAY) depth -= 1;
    index += 1;
    if (depth === 0) return index;
  }
  return NOT_PLAIN;
}

/** The offset of the quote after a number in the plain notation of `plainDecimal`; `NOT_PLAIN` for anything else. */
function behindNumber(bytes: Uint8Array, at: number): number {
  let index = bytes[at] === MINUS ? at + 1 : at;
  const first = bytes[index]!;
  index += 1;
  if (first === DIGIT_0) {
    if (index - at > 1) return NOT_PLAIN;
  } else {
    if (!(first > DIGIT_0 && first <= DIGIT_9)) return NOT_PLAIN;
    while (bytes[index]! >= DIGIT_0 && bytes[index]! <= DIGIT_9) index += 1;
  }
  if (bytes[index] === POINT) {
    const point = index;
    index += 1;
    while (bytes[index]! >= DIGIT_0 && bytes[index]! <= DIGIT_9) index += 1;
    if (index === point + 1) return NOT_PLAIN;
  }
  return bytes[index] === QUOTE ? index : NOT_PLAIN;
}

/** Collects the fields of a page's items. */
export class ItemScanner {
  readonly attributes = new AttributeNames();
  /** Where each item's fields begin, counted in fields; one more than there are items. */
  readonly #firstFields: number[] = [0];
  #fields = new Int32Array(1024 * FIELD);
  #count = 0;
  /** By attribute: `"name":{"` as it is written. */
  readonly #written: Buffer[] = [];
  /** By attribute: which one followed it in an earlier item; most items have the same ones in the same order. */
  readonly #following: number[] = [];
  #leading = 0;
  /** By attribute: the last item that had it. */
  readonly #lastItems: number[] = [];
  #item = 0;

  /** Items found since `clear`. */
  get items(): number {
    return this.#firstFields.length - 1;
  }

  /** The fields of all items: four numbers each, see `FIELD`. Valid until the next item is scanned. */
  get fields(): Int32Array {
    return this.#fields;
  }

  /** Index in `fields` at which the fields of an item begin; for the index after the last item: where they end. */
  firstField(item: number): number {
    return this.#firstFields[item]! * FIELD;
  }

  /** Forgets the items but keeps the attributes. */
  clear(): void {
    this.#firstFields.length = 1;
    this.#count = 0;
  }

  /** Scans the item that starts at `at`. Returns the offset after it; `NOT_PLAIN` if it has another form. */
  scan(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] !== OPEN) return NOT_PLAIN;
    this.#item += 1;
    let next = bytes[at + 1] === CLOSE ? at + 2 : this.#scanFields(bytes, at + 1, end);
    if (next > end) next = NOT_PLAIN;
    if (next !== NOT_PLAIN) this.#firstFields.push(this.#count);
    return next;
  }

  /** `at`: the quote before the first name. Returns the offset after the item's brace. */
  #scanFields(bytes: Buffer, at: number, end: number): number {
    let expected = this.#leading;
    let previous = -1;
    let index = at;
    for (;;) {
      let attribute = expected;
      const written = this.#written[attribute];
      if (written !== undefined && stands(bytes, index, written)) index += written.length;
      else {
        index = this.#meet(bytes, index, end, previous);
        if (index === NOT_PLAIN) return NOT_PLAIN;
        attribute = previous === -1 ? this.#leading : this.#following[previous]!;
      }
      if (this.#lastItems[attribute] === this.#item) return NOT_PLAIN;
      this.#lastItems[attribute] = this.#item;
      index = this.#scanValue(bytes, index, end, attribute);
      if (index === NOT_PLAIN) return NOT_PLAIN;
      const byte = bytes[index];
      if (byte === CLOSE) return index + 1;
      if (byte !== COMMA) return NOT_PLAIN;
      index += 1;
      previous = attribute;
      expected = this.#following[attribute]!;
    }
  }

  /**
   * Reads an unexpected name, and expects it after `previous` (-1: as the first one) from now on.
   * Returns the offset after `"name":{"`.
   */
  #meet(bytes: Buffer, at: number, end: number, previous: number): number {
    if (bytes[at] !== QUOTE) return NOT_PLAIN;
    const quote = behindValue(bytes, at, end) - 1;
    if (quote < 0 || bytes[quote + 1] !== COLON || bytes[quote + 2] !== OPEN || bytes[quote + 3] !== QUOTE) {
      return NOT_PLAIN;
    }
    const attribute = this.attributes.number(JSON.parse(bytes.toString('utf8', at, quote + 1)) as string);
    if (attribute === this.#written.length) {
      this.#following.push(attribute + 1);
      this.#lastItems.push(0);
    }
    const written = bytes.subarray(at, quote + 4);
    if (this.#written[attribute]?.equals(written) !== true) this.#written[attribute] = Buffer.from(written);
    if (previous === -1) this.#leading = attribute;
    else this.#following[previous] = attribute;
    return quote + 4;
  }

  /** `at`: after `{"` of an attribute value. Returns the offset after its brace. */
  #scanValue(bytes: Buffer, at: number, end: number, attribute: number): number {
    const byte = bytes[at];
    const isOneLetter = bytes[at + 1] === QUOTE && bytes[at + 2] === COLON && bytes[at + 3] === QUOTE;
    if (isOneLetter) {
      if (byte === LETTER_S) return this.#scanText(bytes, at, end, attribute, TEXT);
      if (byte === LETTER_B) return this.#scanText(bytes, at, end, attribute, BINARY);
      if (byte === LETTER_N) {
        const start = at + 4;
        const quote = behindNumber(bytes, start);
        if (quote !== NOT_PLAIN && bytes[quote + 1] === CLOSE) {
          this.#add(attribute, NUMBER, start, quote);
          return quote + 2;
        }
      }
    } else if (byte === LETTER_B && stands(bytes, at + 1, REST_OF_TRUE)) {
      this.#add(attribute, TRUE, 0, 0);
      return at + 1 + REST_OF_TRUE.length;
    } else if (byte === LETTER_B && stands(bytes, at + 1, REST_OF_FALSE)) {
      this.#add(attribute, FALSE, 0, 0);
      return at + 1 + REST_OF_FALSE.length;
    } else if (byte === LETTER_N && stands(bytes, at + 1, REST_OF_NULL)) {
      this.#add(attribute, NULL, 0, 0);
      return at + 1 + REST_OF_NULL.length;
    }
    return this.#scanOther(bytes, at, end, attribute);
  }

  #scanText(bytes: Buffer, at: number, end: number, attribute: number, plain: number): number {
    const start = at + 4;
    let kind = plain;
    let index = start;
    for (; index < end; index += 1) {
      const byte = bytes[index]!;
      if (byte === QUOTE) break;
      if (byte === COMMA && plain === TEXT) kind = TEXT_TO_QUOTE;
      else if (byte === BACKSLASH || byte === COMMA) return this.#scanOther(bytes, at, end, attribute);
      else if (byte < SPACE) return NOT_PLAIN;
    }
    if (bytes[index + 1] !== CLOSE) return this.#scanOther(bytes, at, end, attribute);
    this.#add(attribute, kind, start, index);
    return index + 2;
  }

  #scanOther(bytes: Buffer, at: number, end: number, attribute: number): number {
    const start = at - 2;
    const behind = behindValue(bytes, start, end);
    if (behind !== NOT_PLAIN) this.#add(attribute, OTHER, start, behind);
    return behind;
  }

  #add(attribute: number, kind: number, start: number, end: number): void {
    const index = this.#count * FIELD;
    if (index === this.#fields.length) {
      const larger = new Int32Array(index * 2);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    const fields = this.#fields;
    fields[index] = attribute;
    fields[index + 1] = kind;
    fields[index + 2] = start;
    fields[index + 3] = end;
    this.#count += 1;
  }
}

/** The attributes met so far, numbered in the order in which they were met. */
class AttributeNames {
  /** By number. */
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** The attribute's number; the next one for a name never met before. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(name);
    this.#numbers.set(name, number);
    return number;
  }
}
