import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { requestRefused } from '../errors.js';
import { MAX_HEADERS, REFUSAL_GRACE } from '../limits.js';
import { errorBody } from './errors.js';

/** Answers what is not a valid HTTP request, in one line like all errors. It writes to the socket: Fastify has no request. */
export function answerSocketError(error: Error & { code?: string }, socket: Socket): void {
  if (socket.destroyed || error.code === 'ECONNRESET') return void socket.destroy();
  if (!socket.writable) return void socket.destroy(error);
  const refused = refusal(error.code);
  const body = errorBody(refused);
  socket.end(
    `HTTP/1.1 ${refused.status} ${STATUS_CODES[refused.status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // A client that never closes its side would keep the socket open for ever.
  const cut = setTimeout(() => socket.destroy(), REFUSAL_GRACE);
  socket.once('close', () => clearTimeout(cut));
}

function refusal(code = '') {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return requestRefused(431, `the request line and headers are larger than ${MAX_HEADERS} bytes`);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestRefused(408, 'the request did not arrive in time');
  return requestRefused(400, 'this is not a valid HTTP request');
}
