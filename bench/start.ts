import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeFlags, projectRoot } from '../src/base/project.js';
import { LOCAL_AWS_ENVIRONMENT } from '../src/demo/local-aws.js';
import { alternate, type Benchmark, type Comparison, median, pairedRatio } from './harness.js';
import { startFleet } from './service.js';

const SERVICE = join(projectRoot, 'dist', 'src', 'server.js');
const FLOOR = fileURLToPath(new URL('./start-floor.js', import.meta.url));
const STARTS = { warmups: 2, rounds: 15 };
/** Milliseconds between requests to `/readyz`. */
const LOOK_EVERY = 2;
/** Milliseconds of one clock tick in `/proc`. */
const TICK = 10;

/** Milliseconds from the process's start until `/readyz` answered with 200. */
interface Start {
  readonly wall: number;
  /** Milliseconds of processor time until then; null where the system does not tell (only Linux does). */
  readonly cpu: number | null;
}

/** A service that is restarted is missed for as long as it starts. */
export const startBenchmark: Benchmark = {
  name: 'start',
  about:
    'from the process to ready on an empty volume, the first poll of a table included, against Fastify and a DynamoDB client alone',
  run: async () => {
    const fleet = await startFleet({ step: null, timeZone: 'UTC' });
    try {
      const env = { ...process.env, ...LOCAL_AWS_ENVIRONMENT, ...fleet.endpoints };
      const [ours, floor] = await alternate([() => startOfService(env), () => startOf([FLOOR], env)], STARTS);
      return compared(ours!, floor!);
    } finally {
      await fleet.stop();
    }
  },
};

async function startOfService(env: NodeJS.ProcessEnv): Promise<Start> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  try {
    const config = join(folder, 'one-table.yaml');
    await writeFile(config, 'tables:\n  flag-dynamodb:\n    changes: true\n');
    const own = {
      CONFIG: config,
      DATA_DIR: join(folder, 'data'),
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'warn',
      API_TOKEN: '',
    };
    return await startOf([...nodeFlags, SERVICE], { ...env, ...own });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Start> {
  const before = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  while (!(await fetch(`${url}/readyz`)).ok) await delay(LOOK_EVERY);
  const start = { wall: performance.now() - before, cpu: cpuOf(child) };
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
  return start;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: `utime` and `stime` are fields 14 and 15. */
function cpuOf({ pid }: ChildProcess): number | null {
  if (process.platform !== 'linux') return null;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

const MOST = 1.2;

function compared(ours: readonly Start[], floor: readonly Start[]): readonly Comparison[] {
  const line = (what: string, own: readonly number[], others: readonly number[], most: number | null) => {
    const ratio = pairedRatio(own, others);
    const goal = most === null ? null : `at most ${most}`;
    const reached = most === null ? null : ratio <= most;
    const shown = (values: readonly number[]) => `${Math.round(median(values))} ms`;
    return { what, ours: shown(own), other: shown(others), ratio, goal, reached };
  };
  const wall = (starts: readonly Start[]) => starts.map((start) => start.wall);
  const cpu = (starts: readonly Start[]) => starts.flatMap((start) => start.cpu ?? []);
  const lines = [line('start to ready, empty volume', wall(ours), wall(floor), MOST)];
  if (cpu(ours).length > 0) lines.push(line('the same, processor', cpu(ours), cpu(floor), null));
  return lines;
}
