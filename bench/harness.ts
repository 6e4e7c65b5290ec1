/** What every benchmark is made of: two contenders measured side by side in one run, warmed, alternating. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';

/** One line of the table that `npm run bench` prints. */
export interface Comparison {
  /** `Scan to CSV, wall time`. */
  readonly what: string;
  /** Ours and what it is compared with, with units; `-` where there is nothing to compare with. */
  readonly ours: string;
  readonly other: string;
  /** Ours divided by the other one, or null. */
  readonly ratio: number | null;
  /** `at most 0.3`; null: told for the record. */
  readonly goal: string | null;
  /** Whether the goal was reached; null without a goal. */
  readonly reached: boolean | null;
}

export interface Benchmark {
  /** What `npm run bench NAME` calls it. */
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
 * Runs the contenders in turns: `warmups` rounds that do not count, then `rounds` that do. Each round is all of them,
 * one after the other, so that what else the machine does hits all alike; compare round by round (`pairedRatio`).
 */
export async function alternate<T>(
  contenders: readonly (() => Promise<T>)[],
  { warmups, rounds }: { readonly warmups: number; readonly rounds: number },
): Promise<T[][]> {
  const results: T[][] = contenders.map(() => []);
  for (let round = 0; round < warmups + rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const result = await contender();
      if (round >= warmups) results[index]!.push(result);
    }
  }
  return results;
}

/** The median over the rounds of ours divided by the other's of the same round. */
export function pairedRatio(ours: readonly number[], others: readonly number[]): number {
  return median(ours.map((value, round) => value / others[round]!));
}

/** A contender in a process of its own, so that memory and processor time are its own too. */
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
    // Only of interest while an answer is awaited.
    this.#died.catch(() => {});
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

/** The other side of `Contender`: answers each request until the parent goes away. */
export function serveRequests<Request, Result>(handle: (request: Request) => Promise<Result>): void {
  process.on('message', async (request: Request) => {
    process.send!(await handle(request));
  });
  process.once('disconnect', () => process.exit());
}

/** What a piece of work cost this process, its threads included. */
export interface Cost {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of processor time, user and system. */
  readonly cpu: number;
  /** The most memory the process ever had resident, in bytes. */
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
