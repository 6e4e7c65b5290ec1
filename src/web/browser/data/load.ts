import type { Api } from './api.js';
import { type Cell, CsvRows } from './rows.js';
import { TimeSlices } from './slices.js';

/** More rows than anybody scrolls through; limits the browser's memory. */
export const MOST_ROWS = 500_000;
const MOST_BYTES = 200_000_000;

export interface Loaded {
  readonly rows: CsvRows;
  /** False if the response has more rows than the page accepts. */
  readonly complete: boolean;
}

/** Reads a CSV response as it arrives, yielding to the page; `onProgress` gets the rows so far. */
export async function loadCsv(
  api: Api,
  path: string,
  options: RequestInit & { signal: AbortSignal },
  onProgress: (rows: CsvRows) => void = () => {},
): Promise<Loaded> {
  const response = await api.fetch(path, options);
  const rows = new CsvRows();
  const reader = response.body!.getReader();
  const slices = new TimeSlices(options.signal);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { rows, complete: true };
    rows.push(value);
    if (rows.count > MOST_ROWS || rows.bytes > MOST_BYTES) {
      await reader.cancel();
      return { rows, complete: false };
    }
    if (await slices.yieldWhenOver()) onProgress(rows);
  }
}

export type Row = Readonly<Record<string, Cell>>;

/** A small dataset as objects by column name. */
export async function loadTable(api: Api, path: string, signal: AbortSignal): Promise<Row[]> {
  const { rows } = await loadCsv(api, path, { signal });
  return Array.from({ length: rows.count }, (_, index) => {
    const cells = rows.row(index);
    return Object.fromEntries(rows.header.map((name, column) => [name, cells[column] ?? null]));
  });
}
