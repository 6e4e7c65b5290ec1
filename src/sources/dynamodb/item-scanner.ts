import { attributeText, type DocumentPath, pathText } from './paths.js';

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
const LETTER_L = 0x4c;
const LETTER_M = 0x4d;
const LETTER_N = 0x4e;
const LETTER_S = 0x53;

const REST_OF_NULL = Buffer.from('ULL":true}');
const REST_OF_TRUE = Buffer.from('OOL":true}');
const REST_OF_FALSE = Buffer.from('OOL":false}');

/** Bytes of `{"M":{` and of `{"L":[`. */
const REST_OF_CONTAINER = 6;
/** The attribute of a field that is to be removed. */
const DROPPED = -1;
/** The number of a path that has no field, because there are too many columns. */
const BEYOND = -1;

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

/** Which values inside of maps and lists become fields of their own. */
export interface Descent {
  readonly paths: readonly DocumentPath[];
  /** Every value, as long as there are fewer columns than that; 0: only the paths. */
  readonly expandTo: number;
  /** The columns that are known already: they do not count. */
  readonly known: ReadonlySet<string>;
}

/** A map or a list, or a value in one. */
interface Branch {
  readonly path: DocumentPath;
  /** Whether its value is a field of its own. */
  readonly isWanted: boolean;
  /** Whether values inside of it may be. */
  readonly isEntered: boolean;
  /** Of its field; null: it never had one. */
  number: number | null;
  /** By a member's name as it stands in the JSON, quotes included, or by index; null: not wanted. */
  readonly children: Map<string | number, Branch | null>;
}

/** Collects the fields of a page's items. */
export class ItemScanner {
  readonly attributes = new AttributeNames();
  readonly #descent: Descent | null;
  /** By attribute; null: nothing in it is wanted. */
  readonly #branches = new Map<number, Branch | null>();
  /** Attributes whose values are not all in columns of their own, because there would be too many columns. */
  readonly beyond = new Set<string>();
  /** Columns that expanding has added. */
  #expanded = 0;
  /** Values that got no column because there are too many. */
  #missed = 0;
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

  /** `descent`: null where items are only their attributes, as in most tables. */
  constructor(descent: Descent | null = null) {
    this.#descent = descent;
  }

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
    const first = this.#count;
    let next = bytes[at + 1] === CLOSE ? at + 2 : this.#scanFields(bytes, at + 1, end);
    if (next > end) next = NOT_PLAIN;
    if (this.#descent !== null && next !== NOT_PLAIN && !this.#descend(bytes, first)) next = NOT_PLAIN;
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

  /** Adds the fields inside of the item's maps and lists; false for another form. `first`: the item's first field. */
  #descend(bytes: Buffer, first: number): boolean {
    const last = this.#count;
    const isExpanding = this.#descent!.expandTo > 0;
    for (let field = first; field < last; field += 1) {
      const index = field * FIELD;
      const attribute = this.#fields[index]!;
      const start = this.#fields[index + 2]!;
      if (this.#fields[index + 1] !== OTHER || !isContainer(bytes, start)) {
        this.attributes.use(attribute);
        continue;
      }
      const branch = this.#branchOf(attribute);
      const missed = this.#missed;
      if (branch !== null && !this.#enter(bytes, start, this.#fields[index + 3]!, branch)) return false;
      const isWhole = isExpanding && branch !== null && this.#missed === missed && !isEmpty(bytes, start);
      // What is in columns of its own need not be in a column as JSON too.
      if (isWhole) this.#fields[index] = DROPPED;
      else this.attributes.use(attribute);
      if (this.#missed !== missed) this.beyond.add(this.attributes.names[attribute]!);
    }
    this.#drop(first);
    return true;
  }

  /** Removes the fields that are marked as dropped. */
  #drop(first: number): void {
    const fields = this.#fields;
    let kept = first;
    for (let field = first; field < this.#count; field += 1) {
      if (fields[field * FIELD] === DROPPED) continue;
      if (kept !== field) fields.copyWithin(kept * FIELD, field * FIELD, (field + 1) * FIELD);
      kept += 1;
    }
    this.#count = kept;
  }

  #branchOf(attribute: number): Branch | null {
    const known = this.#branches.get(attribute);
    if (known !== undefined) return known;
    const path = [this.attributes.own[attribute]!];
    const branch = this.#isWorthEntering(path) ? branchAt(path, false, true) : null;
    this.#branches.set(attribute, branch);
    return branch;
  }

  #isWorthEntering(path: DocumentPath): boolean {
    const { expandTo, paths } = this.#descent!;
    return expandTo > 0 || paths.some((wanted) => wanted.length > path.length && startsWith(wanted, path));
  }

  /** Enters the map or list at `start`, an attribute value; false for another form. */
  #enter(bytes: Buffer, start: number, end: number, branch: Branch): boolean {
    const isMap = bytes[start + 2] === LETTER_M;
    let at = start + REST_OF_CONTAINER;
    if (bytes[at] === CLOSE || bytes[at] === CLOSE_ARRAY) return true;
    for (let index = 0; ; index += 1) {
      let key: string | number = index;
      if (isMap) {
        if (bytes[at] !== QUOTE) return false;
        const colon = behindValue(bytes, at, end);
        if (colon === NOT_PLAIN || bytes[colon] !== COLON) return false;
        key = bytes.toString('latin1', at, colon);
        at = colon + 1;
      }
      if (bytes[at] !== OPEN || bytes[at + 1] !== QUOTE) return false;
      const child = this.#childOf(branch, key);
      at = child === null ? behindValue(bytes, at, end) : this.#scanChild(bytes, at, end, child);
      if (at === NOT_PLAIN) return false;
      if (bytes[at] !== COMMA) return true;
      at += 1;
    }
  }

  #childOf(branch: Branch, key: string | number): Branch | null {
    const known = branch.children.get(key);
    if (known !== undefined) return known;
    const segment =
      typeof key === 'string' ? (JSON.parse(Buffer.from(key, 'latin1').toString()) as string) : key;
    const path = [...branch.path, segment];
    const isWanted = this.#descent!.paths.some(
      (wanted) => wanted.length === path.length && startsWith(wanted, path),
    );
    const isEntered = this.#isWorthEntering(path);
    const child = isWanted || isEntered ? branchAt(path, isWanted, isEntered) : null;
    branch.children.set(key, child);
    return child;
  }

  /** `at`: the brace of the child's value. Returns the offset after it. */
  #scanChild(bytes: Buffer, at: number, end: number, child: Branch): number {
    const isInside = isContainer(bytes, at) && !isEmpty(bytes, at);
    const isField = child.isWanted || (this.#descent!.expandTo > 0 && !isInside);
    const behind = isField ? this.#addChild(bytes, at, end, child) : behindValue(bytes, at, end);
    if (behind === NOT_PLAIN || !isInside || !child.isEntered) return behind;
    return this.#enter(bytes, at, behind, child) ? behind : NOT_PLAIN;
  }

  #addChild(bytes: Buffer, at: number, end: number, child: Branch): number {
    if (child.number === null) child.number = this.#numberOf(child);
    if (child.number !== BEYOND) return this.#scanValue(bytes, at + 2, end, child.number);
    this.#missed += 1;
    return behindValue(bytes, at, end);
  }

  /** The number of the child's field; `BEYOND` where there are too many columns. */
  #numberOf({ path, isWanted }: Branch): number {
    const text = pathText(path);
    const { known, expandTo } = this.#descent!;
    if (!isWanted && !known.has(text)) {
      if (this.#expanded >= expandTo) return BEYOND;
      this.#expanded += 1;
    }
    const number = this.attributes.numberOfPath(text);
    this.attributes.use(number);
    return number;
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

/** The attributes and paths met so far, numbered in the order in which they were met. */
class AttributeNames {
  /** By number, as `pathText`. */
  readonly names: string[] = [];
  /** By number: an attribute's own name. */
  readonly own: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** By number: whether a field has it. Not kept where every attribute is a field. */
  readonly #isUsed: boolean[] = [];
  /** How many are used. */
  used = 0;

  /** The attribute's number; the next one for a name never met before. */
  number(name: string): number {
    return this.#number(attributeText(name), name);
  }

  numberOfPath(text: string): number {
    return this.#number(text, text);
  }

  /** Notes that there is a field of it, so that it needs a column. */
  use(number: number): void {
    if (this.#isUsed[number] === true) return;
    this.#isUsed[number] = true;
    this.used += 1;
  }

  isUsed(number: number): boolean {
    return this.#isUsed[number] === true;
  }

  #number(text: string, own: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(text);
    this.own.push(own);
    this.#numbers.set(text, number);
    return number;
  }
}

function branchAt(path: DocumentPath, isWanted: boolean, isEntered: boolean): Branch {
  return { path, isWanted, isEntered, number: null, children: new Map() };
}

function startsWith(path: DocumentPath, start: DocumentPath): boolean {
  return start.every((segment, index) => path[index] === segment);
}

/** Whether the attribute value at `start` is a map or a list: `{"M":{` or `{"L":[`. */
function isContainer(bytes: Uint8Array, start: number): boolean {
  const letter = bytes[start + 2];
  const open = letter === LETTER_M ? OPEN : letter === LETTER_L ? OPEN_ARRAY : -1;
  return bytes[start + 3] === QUOTE && bytes[start + 5] === open;
}

/** Whether that map or list is empty. */
function isEmpty(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start + REST_OF_CONTAINER];
  return first === CLOSE || first === CLOSE_ARRAY;
}
