/** How a body is encoded; `identity`: as it is. */
export type Encoding = 'identity' | 'gzip' | 'br';

/** Ours, the one we like best first: brotli is smaller, gzip is known everywhere. */
const PREFERRED: readonly Encoding[] = ['br', 'gzip', 'identity'];

/** Different values remembered: clients send a handful, and who sends ever new ones gains nothing. */
const MEMORY = 100;

const remembered = new Map<string, Encoding>();

/**
 * The encoding to answer with, by the header's weights; among equal weights the one we like best. `identity` is the
 * answer where nothing fits: we have no 406, since a body that is larger than hoped for is better than none.
 * https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
 */
export function chooseEncoding(header: string | undefined): Encoding {
  if (header === undefined) return 'identity';
  const known = remembered.get(header);
  if (known !== undefined) return known;
  const chosen = weigh(header);
  if (remembered.size >= MEMORY) remembered.clear();
  remembered.set(header, chosen);
  return chosen;
}

function weigh(header: string): Encoding {
  const weights = new Map(header.split(',').map(parseItem));
  const weightOf = (encoding: Encoding): number => {
    const own = weights.get(encoding) ?? (encoding === 'gzip' ? weights.get('x-gzip') : undefined);
    if (own !== undefined) return own;
    // Identity is always acceptable unless it is excluded, but nobody asked for it.
    return weights.get('*') ?? (encoding === 'identity' ? Number.MIN_VALUE : 0);
  };
  let best: Encoding = 'identity';
  let bestWeight = 0;
  for (const encoding of PREFERRED) {
    const weight = weightOf(encoding);
    if (weight > bestWeight) {
      best = encoding;
      bestWeight = weight;
    }
  }
  return best;
}

/** `gzip;q=0.8` → gzip and 0.8. */
function parseItem(item: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const value = weight === undefined ? 1 : Number(weight.slice(2));
  return [coding, value >= 0 && value <= 1 ? value : 0];
}
