import { answerBody } from '../windows/compile/answer-body.js';
import { compileLines } from '../windows/compile/lines.js';
import type { SqlTable } from '../windows/compile/sql-table.js';
import { type OutputShape, parseShape } from '../windows/shape.js';
import { answerLines } from './answer-lines.js';
import type { Session } from './session.js';

/** The plain CSV of a dataset. */
const PLAIN: OutputShape = parseShape([]);
const NEVER = new AbortController().signal;

/** A whole table as CSV, header line and rows. The session is closed at the end. */
export async function encodeTable(
  session: Session,
  { from, columns }: SqlTable,
): Promise<{ readonly bytes: Buffer; readonly rows: number }> {
  const list = columns.map(({ expression }) => expression).join(', ');
  const names = columns.map(({ column }) => column);
  const select = {
    sql: `SELECT ${list} FROM ${from}`,
    values: [],
    columns: names,
    types: columns.map(({ type }) => type),
  };
  let rows = 0;
  const lines = answerLines(session, compileLines(select, PLAIN), NEVER, (soFar) => {
    rows = soFar;
  });
  const parts: Buffer[] = [];
  for await (const part of answerBody(names, PLAIN, lines)) parts.push(part);
  return { bytes: Buffer.concat(parts), rows };
}
