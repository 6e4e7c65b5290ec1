/** The harness of all benchmarks: contenders measured in one run, warmed up, alternating. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';

/** How the image sets up malloc (`Dockerfile`): for benchmarks of memory. */
export const IMAGE_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** One line of the table that `npm run bench` prints. */
export interface Comparison {
  /** `Scan to CSV, wall time`. */
  readonly what: string;
  /** Ours and the other contender's value, with units; `-` without another contender. */
  readonly ours: string;
  readonly other: string;
  /** Ours divided by the other one, or null. */
  readonly ratio: number | null;
  /** `at most 0.3`; null: reported without a goal. */
  readonly goal: string | null;
  /** Whether the goal was reached; null without a goal. */
  readonly reached: boolean | null;
}

export interface Benchmark {
  /** The name in `npm run bench NAME`. */
  readonly name: string;
  /** One sentence: what is compared with what. */
  readonly about: string;
  run(): Promise<readonly Comparison[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Runs the contenders in turns: `warmups` rounds that are discarded, then `rounds` that count. Each round is all of them,
 * one after the other, so that other load on the machine affects all alike; compare round by round (`pairedRatio`). Each
 * round has another order: what runs behind one that fills the processor's caches is slower.
 */
export async function alternate<T>(
  contenders: readonly (() => Promise<T>)[],
  { warmups, rounds }: { readonly warmups: number; readonly rounds: number },
): Promise<T[][]> {
  const results: T[][] = contenders.map(() => []);
  for (let round = 0; round < warmups + rounds; round += 1) {
    for (const [index, contender] of shuffled([...contenders.entries()])) {
      const result = await contender();
      if (round >= warmups) results[index]!.push(result);
    }
  }
  return results;
}

function shuffled<T>(values: readonly T[]): readonly T[] {
  return values
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

/** The median over the rounds of ours divided by the other's of the same round. */
export function pairedRatio(ours: readonly number[], others: readonly number[]): number {
  return median(ours.map((value, round) => value / others[round]!));
}

/** A contender in a separate process, so that its memory and processor time can be measured. */
export class Contender<Request, Result> {
  readonly #child: ChildProcess;
  readonly #died: Promise<never>;

  /** `execArgv`: Node's own flags. */
  constructor(
    path: string,
    args: readonly string[],
    { env = {}, execArgv = [] }: Pick<ForkOptions, 'env' | 'execArgv'> = {},
  ) {
    this.#child = fork(path, args, { env: { ...process.env, ...env }, execArgv });
    this.#died = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`A contender ended with code ${code}`);
    });
    // Relevant only while a request is pending.
    this.#died.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async ask(request: Request): Promise<Result> {
    const answer = new Promise<Result>((resolve) =>
      this.#child.once('message', (result) => resolve(result as Result)),
    );
    this.#child.send(request as object);
    return Promise.race([answer, this.#died]);
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.disconnect();
    await gone;
  }
}

/** The process of a `Contender`: answers requests until the parent disconnects. */
export function serveRequests<Request, Result>(handle: (request: Request) => Promise<Result>): void {
  process.on('message', async (request: Request) => {
    process.send!(await handle(request));
  });
  process.once('disconnect', () => process.exit());
}

/** What a piece of work cost this process, including its threads. */
export interface Cost {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of processor time, user and system. */
  readonly cpu: number;
  /** Peak resident memory of the process, in bytes. */
  readonly peakMemory: number;
}

export async function measured(work: () => Promise<void>): Promise<Cost> {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  await work();
  const wall = performance.now() - before;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wall, cpu: (user + system) / 1000, peakMemory: process.resourceUsage().maxRSS * 1024 };
}
