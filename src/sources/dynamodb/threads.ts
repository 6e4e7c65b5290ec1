import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, SHARE_ENV } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { errorFromData } from '../../base/errors.js';
import { projectRoot } from '../../base/project.js';
import type { Column } from '../../csv/rows.js';
import type { ClientOptions } from './client.js';
import type { SegmentsRead, SegmentsTask } from './scan.js';
import type { MergedRuns, SortedRows } from './sort.js';
import type { MergeTask, ReadResult, ReadTask } from './thread.js';
import { runBuffers, withBuffers } from './thread-buffers.js';

/** Longer than the usual interval, so that threads and their connections are warm for the next poll; then they end. */
const IDLE_TIMEOUT = 90_000;
/** Readings mostly wait for DynamoDB, so a thread takes many: a slow reading of one table never delays another. */
const TASKS_PER_THREAD = 64;

/** Not beside this module, which may be part of a bundle. */
const THREAD = join(projectRoot, 'dist', 'src', 'sources', 'dynamodb', 'thread.js');

/** Room for the objects that live while a page is read, in megabytes: items are bytes, so these are few. */
const YOUNG_GENERATION = 8;

/**
 * The threads that read large tables, shared by all of them: started on demand, at most as many as there are processors,
 * and stopped when idle.
 *
 * Nothing is decoded in the main thread while they start. V8 compiles hot code for each thread anew, and that is two fifths
 * of the processor time of a first poll of 200,000 items; in the main thread too, the poll takes 1.3 times as long.
 */
export class ScanThreads {
  readonly size: number;
  #pool: Promise<Piscina> | null = null;
  #started: Piscina | null = null;

  constructor({ size = availableParallelism() } = {}) {
    this.size = size;
  }

  /** Threads running now. */
  get running(): number {
    return this.#started?.threads.length ?? 0;
  }

  /** Rejects with a `DynamoCsvError`, or with the signal's reason when it aborts. */
  async read(task: SegmentsTask, client: ClientOptions, signal: AbortSignal): Promise<SegmentsRead> {
    signal.throwIfAborted();
    const { port1, port2 } = new MessageChannel();
    const cancel = () => port1.postMessage('cancel');
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const message: ReadTask = { ...task, client, cancel: port2 };
      const result: ReadResult = await (await this.#start()).run(message, {
        name: 'read',
        transferList: [port2],
      });
      signal.throwIfAborted();
      if ('error' in result) throw errorFromData(result.error);
      return { ...result.read, run: withBuffers(result.read.run) };
    } finally {
      signal.removeEventListener('abort', cancel);
      port1.close();
    }
  }

  /** `mergeRuns` in a thread. The memory of the runs is transferred. */
  async merge(runs: readonly SortedRows[], columns: readonly Column[]): Promise<MergedRuns> {
    const message: MergeTask = { runs, columns };
    const options = { name: 'merge', transferList: runs.flatMap(runBuffers) };
    return withBuffers((await (await this.#start()).run(message, options)) as MergedRuns);
  }

  /** Stops the threads; running tasks are dropped. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    this.#started = null;
    await (await pool)?.destroy();
  }

  #start(): Promise<Piscina> {
    this.#pool ??= this.#open();
    return this.#pool;
  }

  /** Loaded here: a service with small tables needs no threads. */
  async #open(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    this.#started = new Piscina({
      filename: THREAD,
      minThreads: 0,
      maxThreads: this.size,
      idleTimeout: IDLE_TIMEOUT,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
      concurrentTasksPerWorker: TASKS_PER_THREAD,
      // Waiting on atomics would block an idle thread's sockets, and kept connections would go stale.
      atomics: 'disabled',
      // Changes of credentials and regions in the environment reach running threads too.
      env: SHARE_ENV,
      loadBalancer: (_task, workers) => leastBusy(workers, this.size),
    });
    return this.#started;
  }
}

/** The thread with the least to do; null (start another) while all are busy and there may be more. */
function leastBusy<T extends { readonly currentUsage: number }>(
  workers: readonly T[],
  size: number,
): T | null {
  const least = workers.reduce<T | null>(
    (best, worker) => (best === null || worker.currentUsage < best.currentUsage ? worker : best),
    null,
  );
  return least !== null && least.currentUsage > 0 && workers.length < size ? null : least;
}
