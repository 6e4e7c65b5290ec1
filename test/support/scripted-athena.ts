import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server answers: a body, an error of AWS's, or `hang`: nothing at all. */
export type AthenaAnswer = object | { readonly error: string; readonly message: string } | 'hang';

export interface ScriptedAthena {
  readonly endpoint: string;
  /** The operations asked, with their parameters, in their order. */
  readonly asked: readonly { readonly operation: string; readonly input: Record<string, unknown> }[];
  close(): Promise<void>;
}

/** A server that says what a test wants Athena to say (AWS JSON 1.1). */
export async function startScriptedAthena(
  answer: (operation: string, input: Record<string, unknown>) => AthenaAnswer | Promise<AthenaAnswer>,
): Promise<ScriptedAthena> {
  const asked: { operation: string; input: Record<string, unknown> }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    asked.push({ operation, input });
    const given = await answer(operation, input);
    if (given === 'hang') return;
    const isError = 'error' in given;
    const status = isError ? (String(given.error).startsWith('Internal') ? 500 : 400) : 200;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    const { error, message, ...more } = given as { readonly error?: string; readonly message?: string };
    response.end(JSON.stringify(isError ? { __type: error, Message: message, ...more } : given));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A page of results, as GetQueryResults has it; a cell of null is absent. */
export function resultPage(
  columns: Readonly<Record<string, string>>,
  rows: readonly (readonly (string | null)[])[],
  NextToken?: string,
): object {
  const ColumnInfo = Object.entries(columns).map(([Name, Type]) => ({ Name, Type }));
  const Rows = rows.map((row) => ({
    Data: row.map((cell) => (cell === null ? {} : { VarCharValue: cell })),
  }));
  return {
    ResultSet: { ResultSetMetadata: { ColumnInfo }, Rows },
    ...(NextToken === undefined ? {} : { NextToken }),
  };
}
