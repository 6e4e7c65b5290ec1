import { createHash, webcrypto } from 'node:crypto';

/** A short name for a list of states: another list, another name. */
export function digest(parts: readonly (string | null)[]): string {
  return createHash('sha1').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Bytes up to which a hash takes no longer than handing it to another thread: some 50 µs. */
const SMALL = 1 << 16;

/** 16 hexadecimal digits of SHA-256; of much it is computed off the event loop, where it takes longer than a request may wait. */
export async function hashOf(bytes: Buffer): Promise<string> {
  if (bytes.length <= SMALL) return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const digest = await webcrypto.subtle.digest('SHA-256', bytes);
  return Buffer.from(digest).toString('hex', 0, 8);
}
