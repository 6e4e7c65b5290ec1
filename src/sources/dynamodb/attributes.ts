/**
 * An attribute value as the plain codec (`json-codec.ts`) leaves it: what stood in the JSON, binary as base64 text.
 * The SDK's own codec would give binary as bytes; both are accepted, so that a codec the SDK no longer asks for
 * costs speed and nothing else.
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
