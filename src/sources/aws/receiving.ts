import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { freeBuffer } from '../../base/garbage.js';

/*
 * Receiving responses. Node allocates 64 KB for every read of a socket, and copies the body out of it into another 64 KB: for a poll of 40 MB
 * that is enough garbage for a few full garbage collections. These agents read all sockets of a thread into one buffer
 * instead (`onread`, https://nodejs.org/api/net.html#socketconnectoptions-connectlistener), and `receiveBody` passes on
 * reads that are nothing but body while Node's HTTP parser only counts their bytes.
 *
 * Neither is documented in full, so both are checked. Until a body was seen that does not lie in the memory of a read,
 * every read that the parser has to copy gets memory of its own. A parser that has no function for bodies, as Node's own
 * has, gets everything.
 */

/** Options of the agents of one client. */
export interface AgentOptions {
  readonly keepAlive: true;
  readonly maxSockets: number;
}

const READ_BYTES = 1 << 16;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);
/** Memory of reads that were passed on. */
const ofReads = new WeakSet<object>([shared.buffer]);
/** The sockets that are read by this file. */
const sockets = new WeakSet<object>();
let areBodiesCopied = false;

/** A response of `node:http`; the SDK's type for it has less. */
export type Body = Readable & Partial<Pick<IncomingMessage, 'headers' | 'socket'>>;

/** The bodies that are being received, by socket, if their length is known. */
const bodies = new WeakMap<object, OpenBody>();

/** Calls `add` with a body's bytes as they arrive, which are valid during the call only. */
export function receiveBody(body: Body, add: (bytes: Uint8Array) => void): void {
  const { socket } = body;
  const open = new OpenBody(body, add);
  body.on('data', (chunk: Buffer) => {
    if (socket !== undefined && sockets.has(socket)) areBodiesCopied = !ofReads.has(chunk.buffer);
    open.add(chunk);
  });
  if (socket === undefined || !sockets.has(socket)) return;
  bodies.set(socket, open);
  body.once('close', () => bodies.delete(socket));
}

/** The length that a body announces; 0 if it does not. */
export function announcedLength({ headers }: Body): number {
  return headers?.['transfer-encoding'] === undefined ? Number(headers?.['content-length']) || 0 : 0;
}

/** The part of Node's HTTP parser that is used here: functions that it calls, by number. */
type Parser = Record<string, unknown>;

class OpenBody {
  readonly #body: Body;
  readonly #add: (bytes: Uint8Array) => void;
  /** Bytes that are still to come. */
  #left: number;

  constructor(body: Body, add: (bytes: Uint8Array) => void) {
    this.#body = body;
    this.#add = add;
    this.#left = announcedLength(body);
  }

  add(bytes: Uint8Array): void {
    this.#left -= bytes.length;
    this.#add(bytes);
  }

  /** Takes what was read if it is all body, and lets the parser count it; false: nothing was done. */
  take(read: Buffer, socket: Duplex): boolean {
    const { parser } = socket as { parser?: Parser | null };
    const name = parser == null ? undefined : nameOfBodyFunction(parser);
    // What waits in the stream comes first.
    if (name === undefined || read.length > this.#left || this.#body.readableLength > 0) return false;
    this.add(read);
    const onBody = parser![name];
    parser![name] = null;
    try {
      socket.emit('data', read);
    } finally {
      parser![name] = onBody;
    }
    return true;
  }
}

/** By which a parser has its function for pieces of a body: in Node's, the number of `kOnBody`. */
let bodyFunction: string | undefined;

function nameOfBodyFunction(parser: Parser): string | undefined {
  bodyFunction ??= Object.keys(parser).find((name) => isBodyFunction(parser[name]));
  return bodyFunction !== undefined && isBodyFunction(parser[bodyFunction]) ? bodyFunction : undefined;
}

function isBodyFunction(value: unknown): boolean {
  return typeof value === 'function' && value.name === 'parserOnBody';
}

type Connect = (options: object, callback: unknown) => Duplex;

function connectWithOneBuffer(connect: Connect): Connect {
  return (options, callback) => {
    const onRead = (length: number) => {
      const read = shared.subarray(0, length);
      if (bodies.get(socket)?.take(read, socket)) return true;
      // The parser, which listens to `data`, is done with the buffer when this returns.
      if (areBodiesCopied) return socket.emit('data', read);
      const own = Buffer.allocUnsafeSlow(length);
      read.copy(own);
      ofReads.add(own.buffer);
      return socket.push(own);
    };
    const socket = connect({ ...options, onread: { buffer: shared, callback: onRead } }, callback);
    sockets.add(socket);
    return socket;
  };
}

/** Makes an agent's connections read into the buffer of this thread. */
function reading<T extends HttpAgent>(agent: T): T {
  const connecting = agent as unknown as { createConnection: Connect };
  connecting.createConnection = connectWithOneBuffer(connecting.createConnection.bind(agent));
  return agent;
}

export function createHttpAgent(options: AgentOptions): HttpAgent {
  return reading(new HttpAgent(options));
}

export function createHttpsAgent(options: AgentOptions): HttpsAgent {
  return reading(new HttpsAgent(options));
}

/** Bytes from which a body's memory is worth keeping. */
const WORTH_KEEPING = 1 << 16;

/**
 * Memory of bodies, one per thread: taken for a body, and given back by whoever is done with it. A poll of a large table receives
 * one page of a megabyte after another; each is copied to memory that an earlier page had, so that receiving creates no garbage.
 */
class PageMemory {
  readonly #free: Buffer[] = [];
  /** What may be given back. Memory that nobody gives back is garbage like any other. */
  readonly #taken = new WeakMap<ArrayBufferLike, Buffer>();

  /** At least that many bytes, with any content. */
  take(size: number): Buffer {
    if (size < WORTH_KEEPING) return Buffer.allocUnsafeSlow(size);
    const index = this.#free.findIndex(({ length }) => length >= size);
    const memory = index < 0 ? Buffer.allocUnsafeSlow(rounded(size)) : this.#free.splice(index, 1)[0]!;
    this.#taken.set(memory.buffer, memory);
    return memory;
  }

  /** The caller must not read these bytes, nor any view of their memory, afterwards. Bytes from elsewhere are ignored. */
  give({ buffer }: Uint8Array): void {
    const memory = this.#taken.get(buffer);
    if (memory === undefined) return;
    this.#taken.delete(buffer);
    this.#free.push(memory);
  }

  /** Frees what is not in use. */
  clear(): void {
    for (const { buffer } of this.#free.splice(0)) freeBuffer(buffer as ArrayBuffer);
  }
}

/** Pages differ in size a little. */
function rounded(size: number): number {
  return Math.ceil((size * 1.05) / WORTH_KEEPING) * WORTH_KEEPING;
}

export const pageMemory = new PageMemory();

/** Thrown while receiving a body that is larger than allowed; the connection is closed. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Collects a response's body for the SDK (its `streamCollector`). Rejects with `AnswerTooLarge` beyond `limit` bytes. */
export function collectAtMost(limit: number): (body: Body) => Promise<Uint8Array> {
  return async (body) => {
    let memory = pageMemory.take(Math.min(limit, announcedLength(body)));
    let size = 0;
    receiveBody(body, (bytes) => {
      const end = size + bytes.length;
      if (end > limit) {
        body.destroy(new AnswerTooLarge(`an answer has more than ${limit} bytes`));
        return;
      }
      if (end > memory.length) memory = grown(memory, size, end);
      memory.set(bytes, size);
      size = end;
    });
    await finished(body);
    return memory.subarray(0, size);
  };
}

function grown(memory: Buffer, size: number, needed: number): Buffer {
  const larger = pageMemory.take(Math.max(needed, 2 * memory.length));
  memory.copy(larger, 0, 0, size);
  pageMemory.give(memory);
  return larger;
}
