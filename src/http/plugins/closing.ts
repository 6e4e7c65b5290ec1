import type { Socket } from 'node:net';
import { CLOSING_GRACE } from '../limits.js';
import type { Http } from '../options.js';

/** Milliseconds between two looks for connections that became idle. */
const LOOK = 50;

/**
 * Lets running requests finish when the service stops, and no connection keep it up: Node closes those that
 * are idle then, this closes those that become idle later, and all of them after the grace period.
 */
export function registerClosing(http: Http): void {
  const sockets = new Set<Socket>();
  http.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const closeIdle = () => {
    http.server.closeIdleConnections();
    // Node counts a connection on which nothing was ever sent as a request that begins; browsers open such ones ahead.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  let idle: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  http.addHook('preClose', (done) => {
    closeIdle();
    idle = setInterval(closeIdle, LOOK);
    grace = setTimeout(() => http.server.closeAllConnections(), CLOSING_GRACE);
    done();
  });
  // The server is closed by now.
  http.addHook('onClose', (_instance, done) => {
    clearInterval(idle);
    clearTimeout(grace);
    done();
  });
}
