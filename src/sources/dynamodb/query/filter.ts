import type { AttributeValue as SdkValue } from '@aws-sdk/client-dynamodb';

/** A FilterExpression with what its placeholders mean; plain data. */
export interface AttributeFilter {
  readonly expression: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, SdkValue>>;
}

/** What the configuration has for a value of the filter. */
export type FilterValue = string | number | boolean | Readonly<Record<string, unknown>>;

const TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M']);

/** Whether a mapping is a value in DynamoDB's JSON: one member, named by its type. */
export function isDynamoDbJson(value: Readonly<Record<string, unknown>>): boolean {
  const [type, ...more] = Object.keys(value);
  return more.length === 0 && type !== undefined && TYPES.has(type);
}

/** Text is `S`, a number `N`, true and false `BOOL`; a mapping is DynamoDB's JSON already. */
export function attributeValue(value: FilterValue): SdkValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  return withBytes(value) as SdkValue;
}

/** Binary is base64 in JSON, and bytes in the SDK. */
function withBytes(value: Readonly<Record<string, unknown>>): unknown {
  const [[type, inner] = []] = Object.entries(value);
  switch (type) {
    case 'B':
      return { B: Buffer.from(String(inner), 'base64') };
    case 'BS':
      return { BS: [inner].flat().map((one) => Buffer.from(String(one), 'base64')) };
    case 'N':
      return { N: String(inner) };
    case 'NS':
      return { NS: [inner].flat().map(String) };
    case 'L':
      return { L: [inner].flat().map((one) => withBytes(one as Record<string, unknown>)) };
    case 'M':
      return {
        M: Object.fromEntries(
          Object.entries(inner as object).map(([name, one]) => [
            name,
            withBytes(one as Record<string, unknown>),
          ]),
        ),
      };
    default:
      return value;
  }
}

/** The placeholders that an expression uses: `#s`, `:open`. */
export function placeholdersOf(expression: string): ReadonlySet<string> {
  return new Set(expression.match(/[#:][A-Za-z0-9_]+/g) ?? []);
}
