import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from '../src/base/project.js';
import { type PageServer, startPageServer } from '../test/support/page-server.js';
import { alternate, type Benchmark, type Comparison, median, pairedRatio } from './harness.js';

const ITEMS = 200_000;
const LIMIT = 0.8;
const REGION = 'us-east-1';

/** A program that writes a table to a CSV file. */
interface Dumper {
  readonly name: string;
  /** The command line that dumps the replayed table into that file; null: it is not installed. */
  readonly command: ((server: PageServer, file: string) => readonly string[]) | null;
}

const ours: Dumper = {
  name: 'dynamo-csv dump',
  command: ({ table }, file) => [
    process.execPath,
    join(projectRoot, 'dist', 'src', 'bin.js'),
    'dump',
    table,
    '--quiet',
    '-o',
    file,
  ],
};

/** Against the programs that people use for it, as far as they are installed: see CONTRIBUTING.md. */
export const dumpBenchmark: Benchmark = {
  name: 'dump',
  about: `a table of ${ITEMS} items into a CSV file, against dynein and DynamoDBtoCSV where they are installed`,
  run: async () => {
    const peers = [await dynein(), await dynamoDbToCsv()];
    const present = [ours, ...peers.filter(({ command }) => command !== null)];
    const server = await startPageServer({ items: ITEMS });
    const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
    try {
      const runs = present.map((dumper) => () => timed(dumper, server, join(folder, 'out.csv')));
      const results = await alternate(runs, { warmups: 1, rounds: 5 });
      return [
        ...peers.filter(({ command }) => command === null).map(({ name }) => absent(name)),
        ...compared(present, results),
      ];
    } finally {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Timed {
  /** Milliseconds. */
  readonly wall: number;
  readonly lines: number;
}

async function timed({ name, command }: Dumper, server: PageServer, file: string): Promise<Timed> {
  await rm(file, { force: true });
  const [program, ...args] = command!(server, file) as [string, ...string[]];
  const startedAt = performance.now();
  const child = spawn(program, args, { env: environment(server), stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  const wall = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${name} ended with code ${code}: ${errors}`);
  return { wall, lines: (await readFile(file, 'utf8')).split('\n').length - 1 };
}

function environment({ endpoint }: PageServer): NodeJS.ProcessEnv {
  return {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
  };
}

function compared(dumpers: readonly Dumper[], results: readonly Timed[][]): Comparison[] {
  const [own, ...others] = results as [Timed[], ...Timed[][]];
  const wall = (runs: readonly Timed[]) => runs.map((run) => run.wall);
  if (own.some(({ lines }) => lines !== ITEMS + 1)) throw new Error('our own file is not complete');
  const fastest = Math.min(...others.map((runs) => median(wall(runs))));
  return others.map((runs, index) => {
    const { name } = dumpers[index + 1]!;
    const ratio = pairedRatio(wall(own), wall(runs));
    const isFastest = median(wall(runs)) === fastest;
    const missing = ITEMS + 1 - runs[0]!.lines;
    return {
      what: `dump to CSV, against ${name}${missing === 0 ? '' : ` (whose file has ${missing} lines too few)`}`,
      ours: `${Math.round(median(wall(own)))} ms`,
      other: `${Math.round(median(wall(runs)))} ms`,
      ratio,
      goal: isFastest ? `at most ${LIMIT}` : null,
      reached: isFastest ? ratio <= LIMIT : null,
    };
  });
}

const absent = (name: string): Comparison => ({
  what: `dump to CSV, against ${name}: not installed`,
  ours: '-',
  other: '-',
  ratio: null,
  goal: null,
  reached: null,
});

/** https://github.com/awslabs/dynein: `dy` on the PATH, or the path in `DYNEIN`. */
async function dynein(): Promise<Dumper> {
  const program = process.env.DYNEIN ?? 'dy';
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (status !== 0) return { name: 'dynein', command: null };
  return {
    name: `dynein ${stdout.trim().split(' ').at(-1)}`,
    command: ({ table, endpoint }, file) => [
      program,
      ...['--region', 'local', '--port', new URL(endpoint).port, '--table', table],
      ...['export', '--format', 'csv', '--output-file', file],
      ...['--attributes', 'latitude,longitude,medallion,next_zone_id,occupied,updated_at'],
    ],
  };
}

/** https://github.com/edasque/DynamoDBtoCSV, which is not on npm: the path of its script in `DYNAMODBTOCSV`. */
async function dynamoDbToCsv(): Promise<Dumper> {
  const script = process.env.DYNAMODBTOCSV;
  if (script === undefined || !existsSync(script)) return { name: 'DynamoDBtoCSV', command: null };
  const manifest = await readFile(join(dirname(script), 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return {
    name: `DynamoDBtoCSV ${version}`,
    command: ({ table, endpoint }, file) => [
      ...[process.execPath, script, '-t', table, '-e', endpoint, '-r', REGION, '-f', file],
      // Without values for a key condition that is not used it does not start.
      ...['-v', '{}'],
    ],
  };
}
