import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/*
 * Node allocates 64 KB for every read of a socket, which for a poll of 40 MB is enough garbage for a full garbage
 * collection or two. These agents read all sockets of a thread into one buffer instead (`onread`,
 * https://nodejs.org/api/net.html#socketconnectoptions-connectlistener).
 *
 * That is correct because Node's HTTP parser copies the bodies out of what was read. It is not documented, so it is
 * checked: until a body was seen that does not lie in the memory of a read, every read gets memory of its own.
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

/** Takes note of a chunk of a response's body: whether it was copied out of what was read from its socket. */
export function noteBodyChunk(socket: object, { buffer }: Uint8Array): void {
  if (sockets.has(socket)) areBodiesCopied = !ofReads.has(buffer);
}

type Connect = (options: object, callback: unknown) => Duplex;

function connectWithOneBuffer(connect: Connect): Connect {
  return (options, callback) => {
    const onRead = (length: number) => {
      const read = shared.subarray(0, length);
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
