/**
 * The same pieces, the first of them computed by the time this resolves. Ending the iteration ends that of `pieces`, even
 * before anything was read; a generator that was never read from would not do that.
 */
export async function withFirstPiece<T>(pieces: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const rest = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<T> | null = await rest.next();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const next = first ?? rest.next();
        first = null;
        return next;
      },
      async return() {
        await rest.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
