import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.js';
import type { Answer, AwsFailure, Call, StandInWorld } from './aws-world.js';
import { answerCloudWatch } from './cloudwatch-json.js';
import { answerEc2 } from './ec2-xml.js';

export interface StandInOptions {
  readonly world: StandInWorld;
  readonly clock: Clock;
  /** The most instances or metrics on a page, whatever the request asks for; by default 500. */
  readonly pageSize?: number;
  /** Makes a call fail: `action` as in IAM (`ec2:DescribeInstances`). Null: it succeeds. */
  readonly failure?: (action: string, region: string) => AwsFailure | null;
}

export interface StandIn {
  readonly endpoint: string;
  /** Calls answered so far, with the action as in IAM: `eu-west-1 ec2:DescribeInstances`. */
  readonly calls: readonly string[];
  close(): Promise<void>;
}

/**
 * A server on a free loopback port that answers the three calls of the API server's source in AWS's wire formats: EC2's
 * query protocol (form in, XML out) and CloudWatch's JSON 1.0. Signatures are not checked.
 */
export async function startAwsStandIn(options: StandInOptions): Promise<StandIn> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    try {
      const { status, contentType, body } = await answer(request, options, calls);
      response.writeHead(status, { 'content-type': contentType }).end(body);
    } catch (error) {
      response.destroy(error as Error);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, options: StandInOptions, calls: string[]): Promise<Answer> {
  const body = await readBody(request);
  const region = signedRegion(request);
  const target = request.headers['x-amz-target'];
  const action =
    target === undefined
      ? `ec2:${new URLSearchParams(body).get('Action')}`
      : `cloudwatch:${String(target).split('.')[1]}`;
  calls.push(`${region} ${action}`);
  const { world, clock, pageSize = 500 } = options;
  const call: Call = { action, region, world, now: clock.now(), pageSize };
  const failure = options.failure?.(action, region) ?? null;
  return target === undefined ? answerEc2(body, call, failure) : answerCloudWatch(body, call, failure);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The region that the request was signed for. */
function signedRegion(request: IncomingMessage): string {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'unknown';
}
