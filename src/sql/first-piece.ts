/**
 * The same pieces, of which the first has been computed when this resolves. Whoever ends the iteration ends that of
 * `pieces`, also without having read anything: a generator that was never read from would not.
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
