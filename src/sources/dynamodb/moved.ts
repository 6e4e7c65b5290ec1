import { move, transferableSymbol, valueSymbol } from 'piscina';

/** The result of a task whose buffers are moved to the other thread, and not copied. */
export function moved<T>(value: T, buffers: ArrayBuffer[]): T {
  return move({
    get [transferableSymbol]() {
      return buffers;
    },
    get [valueSymbol]() {
      return value;
    },
  } as unknown as Parameters<typeof move>[0]) as T;
}

/** The same bytes in memory that has nothing else, so that it can be moved: small buffers share the pool of their thread. */
export function withOwnMemory(bytes: Buffer): Buffer {
  if (bytes.length >= Buffer.poolSize >>> 1) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}
