import type { Socket } from 'node:net';
import { CLOSING_GRACE } from '../limits.js';
import { httpPlugin } from '../plugin.js';

/** Milliseconds between two checks for connections that have become idle. */
const LOOK = 50;

/**
 * Lets running requests finish when the server closes, without any connection delaying it: Node closes connections that
 * are idle at that moment, this plugin those that become idle later, and all of them after the grace period.
 */
export const closing = httpPlugin('closing', [], (http) => {
  const sockets = new Set<Socket>();
  http.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const closeIdle = () => {
    http.server.closeIdleConnections();
    // Browsers open connections ahead of need. To Node, one on which nothing was ever sent has a request in progress.
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
  // The server is closed by then.
  http.addHook('onClose', (_instance, done) => {
    clearInterval(idle);
    clearTimeout(grace);
    done();
  });
});
