/**
 * A client that costs almost nothing: one kept connection, a request in one write, an answer read by its length. With
 * Node's own client, most of the time of a small answer would be the client's, whatever the server.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Question } from './roapi.js';

const HEAD_END = Buffer.from('\r\n\r\n');

/** An answer with its status and its body. */
export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export class RawClient {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #waiting: ((answer: RawAnswer) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).on('data', (part) => this.#take(part));
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** One at a time. Rejects if the connection ends instead. */
  ask({ method, path, headers = {}, body = '' }: Question): Promise<RawAnswer> {
    const fields = Object.entries({ host: '127.0.0.1', ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    if (method === 'POST') fields.push(`content-length: ${Buffer.byteLength(body)}`);
    const answer = new Promise<RawAnswer>((resolve, reject) => {
      this.#waiting = resolve;
      this.#socket.once('close', () => reject(new Error(`${path}: the connection was closed`)));
    });
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body}`);
    return answer.finally(() => this.#socket.removeAllListeners('close'));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    this.#received.push(part);
    const answer = answerIn(this.#received.length === 1 ? part : Buffer.concat(this.#received));
    if (answer === null) return;
    this.#received = [];
    this.#waiting?.(answer);
  }
}

/** Null: it is not complete. Throws if its length is not in its head. */
function answerIn(bytes: Buffer): RawAnswer | null {
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${head}`);
  const body = bytes.subarray(end + HEAD_END.length);
  if (body.length < Number(length)) return null;
  return { status: Number(head.slice(9, 12)), body };
}
