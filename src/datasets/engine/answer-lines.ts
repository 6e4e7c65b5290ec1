import { readLines } from '../windows/read-lines.js';
import type { Statement } from '../windows/statement.js';
import type { Session } from './session.js';

/**
 * The lines of a statement (see `compileLines`), fetched as they are taken. `onRows` hears how many rows each chunk brings.
 * The session is closed at the end, wherever that comes.
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
    result.fetchChunk = async () => {
      const chunk = await fetch();
      onRows(chunk?.rowCount ?? 0);
      return chunk;
    };
    yield* readLines(result, signal);
  } finally {
    await session.close();
  }
}
