import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import type { ReadingCost } from '../csv/source.js';

/** What this room needs of an SDK client. */
interface MeteredClient {
  readonly middlewareStack: {
    // biome-ignore lint/suspicious/noExplicitAny: every client has its own input and output types
    add(middleware: any, options: { step: 'deserialize'; priority: 'low'; name: string; override: true }): void;
  };
}

/** Adds up what a poll's calls cost. */
export class Meter {
  #requests = 0;
  #attempts = 0;
  #bytes = 0;
  #metrics = 0;

  /** Counts the response bytes of a client's calls: the public extension point nearest to the wire. */
  attach(client: MeteredClient): void {
    const count =
      (next: (args: unknown) => Promise<{ response: unknown; output: unknown }>) => async (args: unknown) => {
        const result = await next(args);
        const response = result.response as { body?: Readable };
        if (response.body !== undefined) response.body = this.#counted(response.body);
        return result;
      };
    client.middlewareStack.add(count, { step: 'deserialize', priority: 'low', name: 'meter', override: true });
  }

  /** An answered call; a failed one has no metadata worth counting. */
  answered(output: { readonly $metadata: { readonly attempts?: number | undefined } }): void {
    this.#requests += 1;
    this.#attempts += output.$metadata.attempts ?? 1;
  }

  metricsRequested(count: number): void {
    this.#metrics += count;
  }

  get cost(): ReadingCost {
    return {
      requests: this.#requests,
      attempts: this.#attempts,
      bytes: this.#bytes,
      readCapacityUnits: 0,
      metricsRequested: this.#metrics,
    };
  }

  #counted(body: Readable): Readable {
    const counted = new PassThrough();
    body.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
    });
    body.on('error', (error) => counted.destroy(error));
    return body.pipe(counted);
  }
}
