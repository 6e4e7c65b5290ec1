import type { Statement } from '../windows/compile/statement.js';
import { readLines } from './read-lines.js';
import type { Session } from './session.js';

/**
 * The lines of a statement (see `compileLines`), fetched as they are taken. `onRows` is called with the number
 * of rows so far. The last line fetched does not count: it marks a complete answer.
 * The session is closed at the end, or when the reader stops early.
 */
export async function* answerLines(
  session: Session,
  { sql, values }: Statement,
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    const result = await session.stream(sql, values);
    const fetch = result.fetchChunk.bind(result);
    let lines = 0;
    result.fetchChunk = async () => {
      const chunk = await fetch();
      lines += chunk?.rowCount ?? 0;
      onRows(lines - 1);
      return chunk;
    };
    yield* readLines(result, signal);
  } finally {
    // Not awaited: the reader has the whole answer. `Engine.close` awaits it.
    void session.close();
  }
}
