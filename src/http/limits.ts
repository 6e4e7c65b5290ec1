/** Every limit of the HTTP server, each with its reason. */

const KiB = 1_024;
const MiB = 1_024 * KiB;

/** Characters of a URL: enough for a window with a few hundred filter values. Longer SQL goes to `POST /sql`. */
export const MAX_URL = 8 * KiB;

/** Bytes of a request's line and headers together: Node's default, and twice the longest URL. */
export const MAX_HEADERS = 16 * KiB;

/** Bytes of a request body. Only SQL has one. */
export const MAX_BODY = 256 * KiB;

/**
 * Connections open at once; Node closes further ones without a response. Far more than readers need: a browser opens 6,
 * Grafana one per query in flight. A connection costs some 10 KB and a file descriptor, of which the system gives a
 * process a few thousand.
 */
export const MAX_CONNECTIONS = 1_000;

/**
 * Milliseconds that a client has to send a complete request, counted from connecting or from its first byte on a
 * connection that is kept open: ample for a few kilobytes.
 */
export const REQUEST_TIMEOUT = 30_000;

/** Milliseconds between two checks for such clients. Node's default, 30 s, would let them stay for a minute. */
export const CHECK_CONNECTIONS = 5_000;

/** Milliseconds in which no byte passes in either direction of a connection in use: longer than the longest query takes. */
export const STALLED_TIMEOUT = 120_000;

/** Milliseconds that an idle connection is kept open: longer than the 60 s of common proxies, so that they close first. */
export const KEEP_ALIVE = 65_000;

/** Milliseconds for a client to read a refusal and to close its side, before the connection is cut. */
export const REFUSAL_GRACE = 1_000;

/** Milliseconds for running requests to finish at shutdown, so that the process is gone within 5 s. */
export const CLOSING_GRACE = 3_500;

/**
 * Mean delay of the event loop in milliseconds beyond which work is refused: a response passes through the loop some
 * dozen times, and would take half a minute. A busy machine, or one long task at start, stays far below.
 */
export const MAX_LOOP_DELAY = 1_000;

/** Seconds after which to retry a request for data that is not there yet, or one that was refused under load. */
export const RETRY_AFTER = 5;

/** Bytes of cached whole datasets, including their encodings; the least recently used are dropped first. */
export const PLAIN_CACHE = 128 * MiB;

/** Bytes of cached windows: cheap to recompute, and a wall of dashboards requests some hundred kilobytes. */
export const WINDOW_CACHE = 32 * MiB;

/** Bytes up to which a window is collected, cached and given an ETag. A larger one is streamed. */
export const MAX_WINDOW_KEPT = MiB;

/** Bytes below which a body is not compressed: it fits into one network packet anyway. */
export const MIN_COMPRESSED = KiB;
