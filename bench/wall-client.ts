/**
 * Asks a service as many windows as it answers, from a process of its own that does little else: requests are written as
 * bytes that were made before, and of the answers only the heads are looked at.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { serveRequests } from './harness.js';

export interface WallRequest {
  readonly port: number;
  /** Paths with their further headers, asked for in this order by all connections together, again and again. */
  readonly questions: readonly (readonly [path: string, headers?: string])[];
  readonly connections: number;
  /** Milliseconds. */
  readonly time: number;
}

export interface WallResult {
  /** With the status 200 or 304. */
  readonly answers: number;
  /** With the status 503: a service on a machine that does too much else turns requests away. */
  readonly refused: number;
  /** The first answer with another status: what was asked, and its text; null: there was none. */
  readonly failure: string | null;
  /** Milliseconds that it took. */
  readonly took: number;
  /** Milliseconds of processor time of this process meanwhile. */
  readonly cpu: number;
}

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = Buffer.from('\r\ncontent-length: ');
/** `HTTP/1.1 ` is before the status. */
const STATUS_AT = 9;
const ZERO = 48;

serveRequests<WallRequest, WallResult>(async ({ port, questions, connections, time }) => {
  const requests = questions.map(([path, headers = '']) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`),
  );
  let asked = 0;
  const next = () => requests[asked++ % requests.length]!;
  const sockets = await Promise.all(Array.from({ length: connections }, () => Asking.connect(port, next)));
  const before = process.cpuUsage();
  const begun = performance.now();
  for (const socket of sockets) socket.ask();
  await delay(time);
  const took = performance.now() - begun;
  const { user, system } = process.cpuUsage(before);
  for (const socket of sockets) socket.close();
  const sum = (of: (socket: Asking) => number) => sockets.reduce((all, socket) => all + of(socket), 0);
  return {
    answers: sum(({ answers, refused }) => answers - refused),
    refused: sum(({ refused }) => refused),
    failure: sockets.find(({ failure }) => failure !== null)?.failure ?? null,
    took,
    cpu: (user + system) / 1_000,
  };
});

/** One connection, with one question at a time. */
class Asking {
  answers = 0;
  refused = 0;
  failure: string | null = null;
  readonly #socket: Socket;
  readonly #next: () => Buffer;
  #asked: Buffer = NOTHING;
  /** Bytes of the answer's body that have not arrived; null: neither has its head. */
  #missing: number | null = null;
  #head: Buffer = NOTHING;

  private constructor(socket: Socket, next: () => Buffer) {
    this.#socket = socket;
    this.#next = next;
    socket.setNoDelay(true).on('data', (part) => this.#take(part));
  }

  static async connect(port: number, next: () => Buffer): Promise<Asking> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Asking(socket, next);
  }

  ask(): void {
    this.#asked = this.#next();
    this.#socket.write(this.#asked);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    if (this.#missing === null) {
      const bytes = this.#head === NOTHING ? part : Buffer.concat([this.#head, part]);
      const end = bytes.indexOf(HEAD_END);
      this.#head = bytes;
      if (end === -1) return;
      this.#missing = this.#lengthIn(bytes, end) - (bytes.length - end - HEAD_END.length);
      this.#head = NOTHING;
    } else {
      this.#missing -= part.length;
    }
    if (this.#missing > 0) return;
    this.#missing = null;
    this.answers += 1;
    this.ask();
  }

  /** Bytes of the body of the answer whose head ends there. Throws if the head does not say it. */
  #lengthIn(bytes: Buffer, end: number): number {
    const status = numberIn(bytes, STATUS_AT);
    if (status === 304) return 0;
    if (status === 503) this.refused += 1;
    else if (status !== 200) this.failure ??= `${this.#asked.toString('latin1').split(' HTTP')[0]}: ${bytes}`;
    const at = bytes.indexOf(LENGTH);
    if (at === -1 || at > end) throw new Error(`an answer without a length: ${bytes}`);
    return numberIn(bytes, at + LENGTH.length);
  }
}

/** The decimal number that begins there. */
function numberIn(bytes: Buffer, at: number): number {
  let number = 0;
  for (let index = at; ; index += 1) {
    const digit = bytes[index]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return number;
    number = number * 10 + digit;
  }
}
