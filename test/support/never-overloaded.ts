import type { Http } from '../../src/http/server.js';

/** Answers however late the event loop is: on a machine that does other things too, a test is not turned away for that. */
export function neverOverloaded(http: Http): void {
  const { memoryUsage } = http;
  // Some tests leave the plugin out.
  if (memoryUsage !== undefined) http.memoryUsage = () => ({ ...memoryUsage(), eventLoopDelay: 0 });
}
