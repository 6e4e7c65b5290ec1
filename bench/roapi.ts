import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isoTime } from '../src/base/clock.js';

const TEN_MINUTES = 600_000;

/** A window that was not requested before; `round` makes it unique. */
export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Server {
  readonly port: number;
  question(round: number): Question;
}

/** ROAPI (PyPI `roapi`), if it is on the PATH, with the log as CSV in memory. */
export class Roapi implements Server {
  readonly title: string;
  readonly port: number;
  readonly #lastAt: number;
  readonly #child: ChildProcess;

  private constructor(title: string, port: number, lastAt: number, child: ChildProcess) {
    this.title = title;
    this.port = port;
    this.#lastAt = lastAt;
    this.#child = child;
  }

  /** Null if it is not installed. */
  static async start(csv: string, lastAt: number): Promise<Roapi | null> {
    const title = version();
    if (title === null) return null;
    const [port, postgres, flight] = [await freePort(), await freePort(), await freePort()];
    const address = (of: number) => `127.0.0.1:${of}`;
    const addresses = ['-a', address(port), '-p', address(postgres), '--addr-flight-sql', address(flight)];
    const child = spawn('roapi', [...addresses, '-t', `log=${csv}`], { stdio: 'ignore' });
    while (
      !(await fetch(`http://${address(port)}/health`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`roapi ended with code ${child.exitCode}`);
      await delay(100);
    }
    return new Roapi(title, port, lastAt, child);
  }

  question(round: number): Question {
    const to = this.#lastAt + 1 - round;
    return this.sql(`SELECT * FROM log WHERE ${between(to - TEN_MINUTES, to)}`);
  }

  /** A request for the result of a SELECT over `log` as CSV. */
  sql(body: string): Question {
    return { method: 'POST', path: '/api/sql', headers: { accept: 'application/csv' }, body };
  }

  /** Milliseconds until the result of a SELECT is complete. Rejects unless it has rows. */
  async took(select: string): Promise<number> {
    const { path, ...request } = this.sql(select);
    const before = performance.now();
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, request);
    const text = await response.text();
    if (!response.ok || text.split('\n').length < 3) throw new Error(`roapi: ${response.status} ${text}`);
    return performance.now() - before;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill();
    await gone;
  }
}

/** A condition on the log's time, in milliseconds since the epoch. */
export function between(from: number, to: number): string {
  const [first, end] = [from, to].map((at) => `timestamp '${isoTime(at)}'`);
  return `timestamp >= ${first} AND timestamp < ${end}`;
}

function version(): string | null {
  try {
    return execFileSync('roapi', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
