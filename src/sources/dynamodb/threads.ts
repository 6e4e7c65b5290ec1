import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, SHARE_ENV } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { errorFromData } from '../../base/errors.js';
import type { Column } from '../../csv/rows.js';
import type { ClientOptions } from './client.js';
import type { SegmentsRead, SegmentsTask } from './read-segments.js';
import type { MergedRuns, SortedRows } from './runs.js';
import { type MergeTask, type ReadResult, type ReadTask, runBuffers, withBuffers } from './thread.js';

/** Longer than the usual interval, so that threads and their connections are warm for the next poll; then they end. */
const IDLE_TIMEOUT = 90_000;
/** Readings mostly wait for DynamoDB, so a thread takes many: one table's slow reading never keeps another waiting. */
const TASKS_PER_THREAD = 64;

/**
 * Room for the objects that live while a page is read, in megabytes: V8's own default for a process. The service has
 * less (`npm start`), because its rows are bytes; in a thread, which is there only while tables are large, less room
 * costs a sixth of the time.
 */
const YOUNG_GENERATION = 48;

/**
 * The threads that read large tables, shared by all of them. Started when the first one is needed, at most as many
 * as there are processors, ended when idle.
 */
export class ScanThreads {
  readonly size: number;
  #pool: Piscina | null = null;

  constructor({ size = availableParallelism() } = {}) {
    this.size = size;
  }

  /** Threads running now. */
  get running(): number {
    return this.#pool?.threads.length ?? 0;
  }

  /** Rejects with a `DynamoCsvError`, or with the signal's reason when it aborts. */
  async read(task: SegmentsTask, client: ClientOptions, signal: AbortSignal): Promise<SegmentsRead> {
    signal.throwIfAborted();
    const { port1, port2 } = new MessageChannel();
    const cancel = () => port1.postMessage('cancel');
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const message: ReadTask = { ...task, client, cancel: port2 };
      const result: ReadResult = await this.#started().run(message, { name: 'read', transferList: [port2] });
      signal.throwIfAborted();
      if ('error' in result) throw errorFromData(result.error);
      return { ...result.read, run: withBuffers(result.read.run) };
    } finally {
      signal.removeEventListener('abort', cancel);
      port1.close();
    }
  }

  /** What `mergeRuns` gives. The memory of the runs is given away. */
  async merge(runs: readonly SortedRows[], columns: readonly Column[]): Promise<MergedRuns> {
    const message: MergeTask = { runs, columns };
    const options = { name: 'merge', transferList: runs.flatMap(runBuffers) };
    return withBuffers((await this.#started().run(message, options)) as MergedRuns);
  }

  /** Ends the threads; what still runs in them is dropped. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  #started(): Piscina {
    this.#pool ??= new Piscina({
      filename: fileURLToPath(new URL('./thread.js', import.meta.url)),
      minThreads: 0,
      maxThreads: this.size,
      idleTimeout: IDLE_TIMEOUT,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
      concurrentTasksPerWorker: TASKS_PER_THREAD,
      // Waiting on atomics would stop a thread's sockets while it has no task; kept connections would rot.
      atomics: 'disabled',
      // Credentials and regions that change in the environment reach running threads too.
      env: SHARE_ENV,
      loadBalancer: (_task, workers) => leastBusy(workers, this.size),
    });
    return this.#pool;
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
