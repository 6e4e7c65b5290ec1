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
