import { join } from 'node:path';
import { SHARE_ENV } from 'node:worker_threads';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Piscina } from 'piscina';
import { projectRoot } from '../base/project.js';
import { type ChunkResult, type ChunkTask, readHere } from './thread.js';

/** By its path in the package: the build bundles each of the two by itself. */
const THREAD = join(projectRoot, 'dist', 'src', 'dump', 'thread.js');
/** Chunks that a thread reads side by side: mostly they wait for DynamoDB. */
const TASKS_PER_THREAD = 16;

/**
 * Who reads chunks: this thread, at once, and worker threads as soon as they have started. A chunk goes to whoever has
 * fewer, so the threads end at about the same time.
 */
export class Readers {
  readonly #client: DynamoDBClient;
  readonly #threads: number;
  readonly #pool: Promise<Piscina> | null;
  #here = 0;
  #there = 0;

  /** `threads`: worker threads in addition to this one. */
  constructor(client: DynamoDBClient, threads: number) {
    this.#client = client;
    this.#threads = threads;
    this.#pool = threads === 0 ? null : startThreads(threads);
    // Whoever waits for it gets its failure.
    this.#pool?.catch(() => undefined);
  }

  /** Reads one chunk. When the signal aborts, requests of this thread end; those of others end by `close`. */
  async read(task: ChunkTask, signal: AbortSignal): Promise<ChunkResult> {
    if (this.#pool === null || this.#here * this.#threads <= this.#there) return this.#readHere(task, signal);
    this.#there += 1;
    try {
      return (await (await this.#pool).run(task, { name: 'readChunk' })) as ChunkResult;
    } finally {
      this.#there -= 1;
    }
  }

  async #readHere(task: ChunkTask, signal: AbortSignal): Promise<ChunkResult> {
    this.#here += 1;
    try {
      return await readHere(this.#client, task, signal);
    } finally {
      this.#here -= 1;
    }
  }

  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }
}

/** Loaded while the first chunks are on their way: most tables are smaller than what is worth a thread. */
async function startThreads(size: number): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: THREAD,
    minThreads: size,
    maxThreads: size,
    concurrentTasksPerWorker: TASKS_PER_THREAD,
    atomics: 'disabled',
    env: SHARE_ENV,
  });
}
