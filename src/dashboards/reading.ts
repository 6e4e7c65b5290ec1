/** As the service types a column; both plugins know the same four. */
export type CellType = 'string' | 'number' | 'boolean' | 'time';

/** Window parameters of the service besides `columns`, e.g. `{ last: '3h', every: '1m' }`; values as Grafana will send them. */
export type Window = Readonly<Record<string, string>>;

/** What one query of a panel or alert asks the service for: these columns of a window of a dataset. */
export interface Reading<Column extends string = string> {
  readonly dataset: string;
  readonly columns: readonly { readonly name: Column; readonly type: CellType }[];
  /** The column that is the time of a series; without it: `timestamp`. */
  readonly time?: string;
  readonly window: Window;
}

/** The window that the reader has picked in Grafana's time picker (epoch milliseconds, filled in by Grafana; panels only). */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables, not ours
export const pickedTime: Window = { from: '${__from}', to: '${__to}' };

/** One row per step of the picked time that a screen can show. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variable, not ours
export const everyInterval: Window = { every: '${__interval}' };

/** The time column of a reading. */
export const timeOf = ({ time }: Pick<Reading, 'time'>): string => time ?? 'timestamp';

/**
 * The columns as a list of the window language: a name with a comma, a quote or a brace stands in quotes, and one with a space at
 * an end, which Infinity drops at the ends of a parameter.
 */
export function columnList(names: readonly string[]): string {
  return names
    .map((name) => (/[",{}]|^\s|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
    .join(',');
}
