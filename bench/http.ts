import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { nodeFlags } from '../src/base/project.js';
import { alternate, type Benchmark, type Comparison, Contender, median, pairedRatio } from './harness.js';
import type { BareAnswer, HttpRequest, HttpResult } from './http-contender.js';

const CONTENDER = fileURLToPath(new URL('./http-contender.js', import.meta.url));
const WARMUPS = 2;
const ROUNDS = 9;
/** Seconds of one measurement, and the connections kept alive during it. */
const SECONDS = 2;
const CONNECTIONS = 10;

interface Case {
  readonly what: string;
  readonly path: string;
  readonly isConditional: boolean;
  /** Our requests per second divided by the bare server's, at least. */
  readonly goal: number;
}

/** Rows of some 30 bytes. */
const ROWS = { small: 345, large: 133_000 };

const CASES: readonly Case[] = [
  { what: '10 KB over HTTP', path: '/csv/small', isConditional: false, goal: 0.7 },
  { what: '4 MB over HTTP', path: '/csv/large', isConditional: false, goal: 0.95 },
  { what: '304 over HTTP', path: '/csv/large', isConditional: true, goal: 0.85 },
];

/** (c) of this project's goals: a dataset over HTTP at nearly the speed of a bare server. */
export const httpBenchmark: Benchmark = {
  name: 'http',
  about: 'requests per second for a dataset, against bare node:http with the same bytes and headers',
  run: async () => {
    // Both with the Node flags of `npm start`.
    const started = { execArgv: [...nodeFlags] };
    const ours = new Contender<HttpRequest, HttpResult>(CONTENDER, ['ours'], started);
    const bare = new Contender<HttpRequest, HttpResult>(CONTENDER, ['bare'], started);
    try {
      const [our, other] = await Promise.all([
        ours.ask({ what: 'listen', rows: ROWS }),
        bare.ask({ what: 'listen', rows: ROWS }),
      ]);
      const answers = await Promise.all(
        Object.keys(ROWS).map((name) => readAnswer(our.port, `/csv/${name}`)),
      );
      await bare.ask({ what: 'answer', answers });
      const lines: Comparison[] = [];
      for (const one of CASES) {
        const etag = answers.find(({ path }) => path === one.path)!.headers.etag!;
        const load = (contender: typeof ours, port: number) => () => measure(contender, port, one, etag);
        const [mine, its] = await alternate([load(ours, our.port), load(bare, other.port)], {
          warmups: WARMUPS,
          rounds: ROUNDS,
        });
        lines.push(...compared(one, mine!, its!));
      }
      return lines;
    } finally {
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

/** The service's responses, for the bare server to repeat. */
async function readAnswer(port: number, path: string): Promise<BareAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { 'accept-encoding': 'identity' },
  });
  const sent = Object.fromEntries(response.headers);
  // Node adds these itself.
  const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...headers } = sent;
  return { path, headers, body: await response.text() };
}

interface Measured {
  readonly perSecond: number;
  /** Microseconds of the server's processor time per request. */
  readonly cpu: number;
}

async function measure(
  contender: Contender<HttpRequest, HttpResult>,
  port: number,
  { path, isConditional }: Case,
  etag: string,
): Promise<Measured> {
  const before = await contender.ask({ what: 'cpu' });
  const result = await autocannon({
    url: `http://127.0.0.1:${port}${path}`,
    connections: CONNECTIONS,
    duration: SECONDS,
    ...(isConditional ? { headers: { 'if-none-match': etag } } : {}),
  });
  const after = await contender.ask({ what: 'cpu' });
  const answered = isConditional ? result['3xx'] : result['2xx'];
  if (result.errors + result.non2xx - (isConditional ? result['3xx'] : 0) > 0 || answered === 0) {
    throw new Error(`${path} was not always answered as it should be`);
  }
  return { perSecond: answered / result.duration, cpu: ((after.cpu - before.cpu) * 1_000) / answered };
}

function compared(
  { what, goal }: Case,
  ours: readonly Measured[],
  others: readonly Measured[],
): readonly Comparison[] {
  const rates = (all: readonly Measured[]) => all.map(({ perSecond }) => perSecond);
  const costs = (all: readonly Measured[]) => all.map(({ cpu }) => cpu);
  const ratio = pairedRatio(rates(ours), rates(others));
  return [
    {
      what,
      ours: `${Math.round(median(rates(ours)))}/s`,
      other: `${Math.round(median(rates(others)))}/s`,
      ratio,
      goal: `at least ${goal}`,
      reached: ratio >= goal,
    },
    {
      what: `${what}, processor time`,
      ours: `${Math.round(median(costs(ours)))} µs`,
      other: `${Math.round(median(costs(others)))} µs`,
      ratio: pairedRatio(costs(ours), costs(others)),
      goal: null,
      reached: null,
    },
  ];
}
