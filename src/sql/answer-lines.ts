import type { Statement } from '../windows/compile/statement.js';
import { readLines } from './read-lines.js';
import type { Session } from './session.js';

/**
 * The lines of a statement (see `compileLines`), fetched as they are taken. `onRows` hears how many rows there are so far,
 * in the end all; not counted is the last line fetched, which is the mark that says that the answer is whole.
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
    let lines = 0;
    result.fetchChunk = async () => {
      const chunk = await fetch();
      lines += chunk?.rowCount ?? 0;
      onRows(lines - 1);
      return chunk;
    };
    yield* readLines(result, signal);
  } finally {
    // Not waited for: whoever reads the answer has it. `Engine.close` waits.
    void session.close();
  }
}
