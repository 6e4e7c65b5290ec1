/** Every limit of the HTTP side in one place, each with its reason. */

const KiB = 1_024;
const MiB = 1_024 * KiB;

/** Characters of a URL. A window with a few hundred filter values fits; longer texts have `POST /sql`. */
export const MAX_URL = 8 * KiB;

/** Bytes of a request's line and headers together: Node's own default, twice the longest URL. */
export const MAX_HEADERS = 16 * KiB;

/** Bytes of a request's body. Only SQL has one. */
export const MAX_BODY = 256 * KiB;

/** Milliseconds for a client to send its whole request: nobody needs longer for a few kilobytes. */
export const REQUEST_TIMEOUT = 30_000;

/** Milliseconds in which a client takes no byte of an answer that is on its way: longer than the longest query may take. */
export const STALLED_TIMEOUT = 120_000;

/** Milliseconds for which an idle connection stays open: longer than the 60 s of common proxies, so that they close first. */
export const KEEP_ALIVE = 65_000;

/** Milliseconds for running requests to finish at shutdown; with what follows the process is gone within 5 s. */
export const CLOSING_GRACE = 3_500;

/**
 * Mean delay of the event loop in milliseconds beyond which work is refused: an answer takes some dozen turns, and would
 * come after half a minute. A busy machine, or one long turn at the start, stays far below.
 */
export const MAX_LOOP_DELAY = 1_000;

/** Seconds after which it makes sense to ask again for what is not there yet, or was turned away. */
export const RETRY_AFTER = 5;

/** Bytes of whole datasets kept, encodings included: the least recently asked for go first. */
export const PLAIN_CACHE = 128 * MiB;

/** Bytes of windows kept: they are cheap to compute again, and a wall of dashboards asks for some hundred kilobytes. */
export const WINDOW_CACHE = 32 * MiB;

/** Bytes up to which a window is collected, kept and given an ETag; a larger one is streamed. */
export const MAX_WINDOW_KEPT = MiB;

/** Bytes under which compression saves nothing that anybody would notice: they fit into one network packet. */
export const MIN_COMPRESSED = KiB;
