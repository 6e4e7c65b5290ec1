import type { Clock } from '../base/clock.js';
import { textTable } from '../base/text-table.js';

/** The part of `GET /datasets` that is printed. */
interface Catalogue {
  readonly service: { readonly startedAt: string };
  readonly datasets: readonly {
    readonly name: string;
    readonly kind: string;
    readonly rows: number | null;
    /** Seconds; null if never read. */
    readonly age: number | null;
    readonly readAt: string | null;
    /** Null if it is not polled. */
    readonly interval: number | null;
    readonly lastError: object | null;
    /** The path on the service. */
    readonly url: string;
  }[];
}

export interface WelcomeOptions {
  /** Where the service answers. */
  readonly url: string;
  readonly dataDir: string;
  readonly apiToken: string | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds between requests for the catalogue, and their maximum: a view may be too large to count. */
const LOOK_EVERY = 100;
const LOOKS = 50;

/** Waits briefly until all sources are polled and all views computed; returns the text that the demo prints. */
export async function welcome({ url, dataDir, apiToken, clock, signal }: WelcomeOptions): Promise<string> {
  const headers = apiToken === null ? {} : { authorization: `Bearer ${apiToken}` };
  const ask = async () => (await (await fetch(`${url}/datasets`, { headers, signal })).json()) as Catalogue;
  let catalogue = await ask();
  for (let look = 1; look < LOOKS && !isComplete(catalogue); look++) {
    await clock.sleep(LOOK_EVERY, signal);
    catalogue = await ask();
  }
  const { datasets } = catalogue;
  const token = apiToken === null ? '' : ' -H "Authorization: Bearer $API_TOKEN"';
  const lines = datasets.map(({ name, kind, rows, age, url: path }) => [
    name,
    kind,
    rows === null ? '' : rows.toLocaleString('en-US'),
    age === null ? '' : `${Math.round(age)} s`,
    `${url}${path}`,
  ]);
  return [
    '',
    '2,000 simulated taxis in Manhattan, with thirty days of history, and the rides that customers order.',
    'The tables of the fleet are polled; of the table orders the stream is followed.',
    '',
    ...textTable([['dataset', 'kind', 'rows', 'age', 'URL'], ...lines], [2, 3]),
    '',
    'For logs and changes, "rows" counts the CSV file only. Soon after the start, older days move to history/:',
    'the file shrinks, and queries still see every row.',
    '',
    `Page         ${url}/`,
    `API          ${url}/docs`,
    `Data folder  ${dataDir}`,
    `Try          curl${token} '${url}/csv/rides-today'`,
    `             curl${token} '${url}/csv/flag-dynamodb?last=10m'`,
    `             curl${token} '${url}/csv/orders-changes?last=1m&columns=change,order_id,status,previous_status'`,
    '',
    'Ctrl-C ends it. The next start continues from the data folder; delete the folder to start over.',
    '',
  ].join('\n');
}

/** Whether every dataset has been read since the start or has failed. */
function isComplete({ service, datasets }: Catalogue): boolean {
  return datasets.every(({ interval, readAt, rows, lastError }) => {
    if (lastError !== null) return true;
    return interval === null ? rows !== null : readAt !== null && readAt >= service.startedAt;
  });
}
