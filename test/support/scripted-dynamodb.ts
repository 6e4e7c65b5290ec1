import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Hanging, hang } from './hanging-server.js';

/** A request as DynamoDB's JSON protocol writes it. */
export interface ScriptedRequest {
  readonly action: 'ListTables' | 'DescribeTable' | 'Scan' | 'Query';
  readonly body: Readonly<Record<string, unknown>>;
  /** Aborts when the client gives the request up. */
  readonly signal: AbortSignal;
  /** The access key that it is signed with. */
  readonly accessKey: string;
}

export type ScriptedAnswer =
  | { readonly ok: unknown }
  /** An answer that never ends. */
  | { readonly hang: Hanging }
  /** An error by its name, as in `__type`. */
  | { readonly error: string; readonly message?: string; readonly status?: number };

export interface ScriptedDynamoDb {
  readonly endpoint: string;
  readonly requests: readonly ScriptedRequest[];
  close(): Promise<void>;
}

/** A server that says what a test wants DynamoDB to say. */
export async function startScriptedDynamoDb(
  answer: (request: ScriptedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>,
): Promise<ScriptedDynamoDb> {
  const requests: ScriptedRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const action = String(request.headers['x-amz-target']).split('.')[1] as ScriptedRequest['action'];
    const accessKey = /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const asked = { action, body, signal: gone.signal, accessKey };
    requests.push(asked);
    const given = await answer(asked);
    if ('hang' in given) return hang(response, given.hang);
    const [status, answered] =
      'ok' in given
        ? [200, given.ok]
        : [
            given.status ?? 400,
            { __type: `com.amazonaws.dynamodb.v20120810#${given.error}`, message: given.message },
          ];
    const bytes = Buffer.from(JSON.stringify(answered));
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': bytes.length,
    });
    response.end(bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What DescribeTable answers: by default for an `ACTIVE` table with the partition key `id`, a number. */
export function described({
  items = 0,
  bytes = 0,
  keys = { id: 'N' },
  status = 'ACTIVE',
  more = {},
}: {
  readonly items?: number;
  readonly bytes?: number;
  /** Partition key first, name to type. */
  readonly keys?: Readonly<Record<string, 'S' | 'N' | 'B'>>;
  readonly status?: string;
  /** What else the description has: indexes, for example. */
  readonly more?: Readonly<Record<string, unknown>>;
} = {}): ScriptedAnswer {
  const entries = Object.entries(keys);
  return {
    ok: {
      Table: {
        TableName: 'scripted',
        TableStatus: status,
        KeySchema: entries.map(([AttributeName], index) => ({
          AttributeName,
          KeyType: index === 0 ? 'HASH' : 'RANGE',
        })),
        AttributeDefinitions: entries.map(([AttributeName, AttributeType]) => ({
          AttributeName,
          AttributeType,
        })),
        ItemCount: items,
        TableSizeBytes: bytes,
        BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
        ...more,
      },
    },
  };
}

/** One page: items with these ids (or these items), the last key when there is more, and what it consumed. */
export function page(
  items: readonly (number | Record<string, unknown>)[],
  { more = false, units = 0.5 } = {},
): ScriptedAnswer {
  const full = items.map((item) => (typeof item === 'number' ? { id: { N: String(item) } } : item));
  return {
    ok: {
      Items: full,
      Count: full.length,
      ConsumedCapacity: { TableName: 'scripted', CapacityUnits: units },
      ...(more ? { LastEvaluatedKey: { id: full.at(-1)!.id } } : {}),
    },
  };
}
