import { PassThrough, type Readable } from 'node:stream';
import type { ReadingCost } from '../source.js';

/** What this room needs of an SDK client. Each client types its middleware by its own inputs: none fits them all. */
interface MeteredClient {
  readonly middlewareStack: {
    add(
      middleware: never,
      options: { step: 'deserialize'; priority: 'low'; name: string; override: true },
    ): void;
  };
}

const METERING = { step: 'deserialize', priority: 'low', name: 'meter', override: true } as const;

const NOTHING: ReadingCost = {
  requests: 0,
  attempts: 0,
  bytes: 0,
  readCapacityUnits: 0,
  metricsRequested: 0,
};

/** Adds up what the calls of one poll cost. */
export class Meter {
  #cost = NOTHING;

  /** Counts the response bytes of a client, at the public extension point nearest to the wire. */
  attach(client: MeteredClient): void {
    const count =
      (next: (args: unknown) => Promise<{ response: unknown; output: unknown }>) => async (args: unknown) => {
        const result = await next(args);
        const response = result.response as { body?: Readable };
        if (response.body !== undefined) response.body = this.#counted(response.body);
        return result;
      };
    client.middlewareStack.add(count as never, METERING);
  }

  /** An answered call. `metrics`: how many it asked CloudWatch for. */
  answered(output: { readonly $metadata: { readonly attempts?: number | undefined } }, metrics = 0): void {
    this.#add({ requests: 1, attempts: output.$metadata.attempts ?? 1, metricsRequested: metrics });
  }

  /** What was counted since the last time. */
  take(): ReadingCost {
    const cost = this.#cost;
    this.#cost = NOTHING;
    return cost;
  }

  #add(more: Partial<ReadingCost>): void {
    this.#cost = sumCosts([this.#cost, { ...NOTHING, ...more }]);
  }

  #counted(body: Readable): Readable {
    const counted = new PassThrough();
    body.on('data', (chunk: Buffer) => this.#add({ bytes: chunk.length }));
    body.on('error', (error) => counted.destroy(error));
    return body.pipe(counted);
  }
}

export function sumCosts(costs: readonly ReadingCost[]): ReadingCost {
  return costs.reduce(
    (sum, cost) => ({
      requests: sum.requests + cost.requests,
      attempts: sum.attempts + cost.attempts,
      bytes: sum.bytes + cost.bytes,
      readCapacityUnits: 0,
      metricsRequested: sum.metricsRequested + cost.metricsRequested,
    }),
    NOTHING,
  );
}
