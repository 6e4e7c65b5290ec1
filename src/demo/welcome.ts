import { basename } from 'node:path';

/** What the catalogue tells of a dataset, as far as it is shown here. */
interface Listed {
  readonly name: string;
  readonly kind: string;
  readonly rows: number | null;
  /** Seconds; null for what was never read. */
  readonly age: number | null;
  /** The path on the service. */
  readonly url: string;
}

export interface WelcomeOptions {
  /** Where the service answers. */
  readonly url: string;
  readonly dataDir: string;
  readonly apiToken: string | null;
}

/** Asks the service for its catalogue and says what to do next. */
export async function welcome({ url, dataDir, apiToken }: WelcomeOptions): Promise<string> {
  const headers = apiToken === null ? {} : { authorization: `Bearer ${apiToken}` };
  const response = await fetch(`${url}/datasets`, { headers });
  const { datasets } = (await response.json()) as { datasets: readonly Listed[] };
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
    `Page         ${url}/`,
    `API          ${url}/docs`,
    `Data folder  ${dataDir}`,
    `Try          curl${token} '${url}/csv/rides-today'`,
    `             curl${token} '${url}/csv/flag-dynamodb?last=10m'`,
    '',
    `Ctrl-C ends it. The next start goes on from the folder ${basename(dataDir)}; without it, it starts anew.`,
    '',
  ].join('\n');
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
