import type { Clock } from '../base/clock.js';

/** What the service's catalogue tells, as far as it is shown here. */
interface Catalogue {
  readonly service: { readonly startedAt: string };
  readonly datasets: readonly {
    readonly name: string;
    readonly kind: string;
    readonly rows: number | null;
    /** Seconds; null for what was never read. */
    readonly age: number | null;
    readonly readAt: string | null;
    /** Null for what is not polled. */
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

/** Milliseconds between two looks at the catalogue, and how often at most: a view may be too large to be counted. */
const LOOK_EVERY = 100;
const LOOKS = 50;

/** Waits, not for long, until each source was polled and each view computed, and says what to do next. */
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
    '2,000 taxis drive through Manhattan, all of it made up, with thirty days of past.',
    '',
    ...table([['dataset', 'kind', 'rows', 'age', 'URL'], ...lines], ['rows', 'age']),
    '',
    'The rows of logs and changes are those in their CSV files. Soon after a start, days that are older than',
    'the configuration keeps there move to history/: fewer rows in the file then, and none is lost.',
    '',
    `Page         ${url}/`,
    `API          ${url}/docs`,
    `Data folder  ${dataDir}`,
    `Try          curl${token} '${url}/csv/rides-today'`,
    `             curl${token} '${url}/csv/flag-dynamodb?last=10m'`,
    '',
    'Ctrl-C ends it. The next start goes on from the data folder; delete that folder to start anew.',
    '',
  ].join('\n');
}

/** Whether nothing is to be awaited: what the data folder had is no news, and what failed says so. */
function isComplete({ service, datasets }: Catalogue): boolean {
  return datasets.every(({ interval, readAt, rows, lastError }) => {
    if (lastError !== null) return true;
    return interval === null ? rows !== null : readAt !== null && readAt >= service.startedAt;
  });
}

function table(lines: readonly (readonly string[])[], right: readonly string[]): string[] {
  const [titles = []] = lines;
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return right.includes(titles[column] ?? '') ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
