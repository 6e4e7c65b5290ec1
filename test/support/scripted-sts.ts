import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a client asked of STS: the parameters of AssumeRole, and the access key that signed it. */
export interface AssumedRole {
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessKey: string;
}

export type StsAnswer =
  | { readonly accessKeyId: string; readonly expiration: Date }
  | { readonly error: string; readonly message: string; readonly status?: number };

export interface ScriptedSts {
  readonly endpoint: string;
  readonly requests: readonly AssumedRole[];
  close(): Promise<void>;
}

/** A server that says what a test wants STS to say, in its XML: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export async function startScriptedSts(answer: (request: AssumedRole) => StsAnswer): Promise<ScriptedSts> {
  const requests: AssumedRole[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = {
      parameters: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
      accessKey: /Credential=([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '',
    };
    requests.push(asked);
    const given = answer(asked);
    const isError = 'error' in given;
    response.writeHead(isError ? (given.status ?? 403) : 200, { 'content-type': 'text/xml' });
    response.end(
      isError ? failure(given.error, given.message) : success(given.accessKeyId, given.expiration),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

function success(accessKeyId: string, expiration: Date): string {
  return `<AssumeRoleResponse xmlns="${NAMESPACE}"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:test</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/reader/test</Arn></AssumedRoleUser><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${expiration.toISOString()}</Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>`;
}

function failure(code: string, message: string): string {
  return `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
}
