import { setTimeout as delay } from 'node:timers/promises';

/** What the service answers instead of work while its event loop is late, with 503 and `Retry-After` (docs/http.md). */
const OVERLOADED = /^the service is overloaded;/;
/** Milliseconds between two questions, and how many there are at most: five minutes. */
const [PAUSE, MOST] = [100, 3_000];

/** `fetch` as a patient client does it: a service that a busy machine makes late is asked again. */
export async function patientFetch(address: string | URL, init?: RequestInit): Promise<Response> {
  for (let asked = 1; ; asked += 1) {
    const response = await fetch(address, init);
    if (response.status !== 503 || asked === MOST) return response;
    if (!OVERLOADED.test(await response.clone().text())) return response;
    await delay(PAUSE);
  }
}
