import type { Cell } from '../../csv/rows.js';
import { unknownAttributeType } from './errors.js';
import { compareNumbers, plainDecimal } from './numbers.js';

/**
 * An attribute value as it stood in the JSON: binary is base64 text. The SDK's own codec gives binary as bytes; both are
 * accepted, so that a codec the SDK no longer asks for costs speed and nothing else.
 * Exactly one member is set (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html).
 */
export interface AttributeValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: Binary;
  readonly BOOL?: boolean;
  readonly NULL?: boolean;
  readonly SS?: readonly string[];
  readonly NS?: readonly string[];
  readonly BS?: readonly Binary[];
  readonly L?: readonly AttributeValue[];
  readonly M?: Readonly<Record<string, AttributeValue>>;
}

export type Binary = string | Uint8Array;

export type Item = Readonly<Record<string, AttributeValue>>;

export function isBinary(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function base64(binary: Binary): string {
  return typeof binary === 'string' ? binary : Buffer.from(binary).toString('base64');
}

export function bytesOf(binary: Binary): Uint8Array {
  return typeof binary === 'string' ? Buffer.from(binary, 'base64') : binary;
}

/**
 * The text of an attribute value. S is unchanged; N is plain decimal notation with all its digits; BOOL is `true` or
 * `false`; NULL is absent; B is base64; sets, lists and maps are compact JSON, in which numbers are literals with all
 * their digits and binary is base64 text. DynamoDB does not keep an order in sets and maps, so their members are sorted
 * here: a cell changes only if the value does.
 */
export function attributeToCell(value: AttributeValue): Cell {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return plainDecimal(value.N);
  if (value.BOOL !== undefined) return value.BOOL ? 'true' : 'false';
  if (value.NULL !== undefined) return null;
  if (value.B !== undefined) return base64(value.B);
  return json(value);
}

function json(value: AttributeValue): string {
  if (value.S !== undefined) return JSON.stringify(value.S);
  if (value.N !== undefined) return plainDecimal(value.N);
  if (value.BOOL !== undefined) return value.BOOL ? 'true' : 'false';
  if (value.NULL !== undefined) return 'null';
  if (value.B !== undefined) return `"${base64(value.B)}"`;
  if (value.L !== undefined) return `[${value.L.map(json).join(',')}]`;
  if (value.M !== undefined) return jsonObject(value.M);
  if (value.SS !== undefined) return `[${sortedStrings(value.SS).map(quoted).join(',')}]`;
  if (value.NS !== undefined) return `[${[...value.NS].sort(compareNumbers).map(plainDecimal).join(',')}]`;
  if (value.BS !== undefined) return `[${sortedBinaries(value.BS).map(quoted).join(',')}]`;
  throw unknownAttributeType(Object.keys(value));
}

function jsonObject(members: Readonly<Record<string, AttributeValue>>): string {
  const parts = sortedStrings(Object.keys(members)).map((name) => `${quoted(name)}:${json(members[name]!)}`);
  return `{${parts.join(',')}}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** By UTF-8 bytes, the order DynamoDB itself gives strings. */
function sortedStrings(texts: readonly string[]): string[] {
  return texts
    .map((text) => ({ text, bytes: Buffer.from(text) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ text }) => text);
}

function sortedBinaries(binaries: NonNullable<AttributeValue['BS']>): string[] {
  return binaries
    .map(bytesOf)
    .sort(Buffer.compare)
    .map((bytes) => base64(bytes));
}
