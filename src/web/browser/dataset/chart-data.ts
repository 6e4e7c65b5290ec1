import type { PlotChoice } from '../address.js';
import type { CsvRows } from '../data/rows.js';
import { TimeSlices } from '../data/slices.js';
import { type Line, MOST_LINES, type PlotData } from '../parts/plot.js';
import type { ColumnJson } from '../types.js';
import { type Points, thin } from './thin.js';

/** Instead of a column's name: every number column is a line. */
export const EVERY_NUMBER = '*';

export interface Plottable {
  readonly columns: readonly ColumnJson[];
  readonly timeColumn: string;
  /** Columns that identify a row. */
  readonly keys: readonly string[];
  /** Whether each key is of one row only: a line for each would be a point. */
  readonly isKeyOnce?: boolean;
}

/** Columns that can be plotted, and those that can name lines. */
export function plotColumns({ columns, timeColumn, keys }: Plottable): {
  values: string[];
  series: string[];
} {
  const values = columns.filter(({ name, type }) => type === 'number' && !keys.includes(name));
  const series = columns.filter(
    ({ name, type }) => name !== timeColumn && (type === 'string' || keys.includes(name)),
  );
  return { values: values.map(({ name }) => name), series: series.map(({ name }) => name) };
}

/** What to plot by default; null: nothing can be plotted. */
export function bestChoice(plottable: Plottable): PlotChoice | null {
  const columns = plotColumns(plottable);
  const values = columns.values.filter((name) => !PLACES.includes(name));
  if (values.length === 0 || !plottable.columns.some(({ name }) => name === plottable.timeColumn))
    return null;
  const series =
    plottable.isKeyOnce === true
      ? undefined
      : plottable.keys.find((name) => columns.series.includes(name) && !isCalendar(name));
  if (series !== undefined) return { value: values[0]!, series };
  return { value: values.length > 1 ? EVERY_NUMBER : values[0]!, series: null };
}

/** Location columns, which do not change over time. */
const PLACES = ['latitude', 'longitude'];

/** Keys that only repeat the time. */
function isCalendar(key: string): boolean {
  return ['date', 'hour', 'week', 'weekday'].includes(key);
}

export interface ChartData extends PlotData {
  /** The number of lines found; only those with the largest values are drawn. */
  readonly found: number;
}

interface Gathered extends Points {
  largest: number;
}

/** Computes lines from rows, yielding to the page. */
export async function chartData(
  rows: CsvRows,
  plottable: Plottable,
  choice: PlotChoice,
  signal: AbortSignal,
): Promise<ChartData> {
  const at = (name: string | null) => (name === null ? -1 : rows.header.indexOf(name));
  const time = at(plottable.timeColumn);
  const series = at(choice.series);
  const names = choice.value === EVERY_NUMBER ? plotColumns(plottable).values : [choice.value];
  const values = names.map((name) => ({ name, column: at(name) })).filter(({ column }) => column !== -1);
  const lines = new Map<string, Gathered>();
  const slices = new TimeSlices(signal);
  for (let index = 0; index < rows.count; index += 1) {
    if (index % 256 === 0) await slices.yieldWhenOver();
    const row = rows.row(index);
    const moment = Date.parse(row[time] ?? '');
    if (Number.isNaN(moment)) continue;
    for (const { name, column } of values) {
      const cell = row[column] ?? null;
      const label = series === -1 ? name : (row[series] ?? '');
      let points = lines.get(label);
      if (points === undefined) {
        points = { times: [], values: [], largest: Number.NEGATIVE_INFINITY };
        lines.set(label, points);
      }
      const value = cell === null ? Number.NaN : Number(cell);
      points.times.push(moment);
      points.values.push(value);
      if (value > points.largest) points.largest = value;
    }
  }
  const largest = [...lines].sort((a, b) => b[1].largest - a[1].largest).slice(0, MOST_LINES);
  // In a fixed order, so that a line keeps its colour when another one overtakes it.
  const place = (label: string) => names.indexOf(label);
  largest.sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
  return { ...align(largest.map(([label, points]) => [label, thin(points)])), found: lines.size };
}

/** One list of times for all lines: a line without a row at a time continues, a row without a value is a gap. */
function align(lines: readonly (readonly [label: string, points: Points])[]): {
  times: number[];
  lines: Line[];
} {
  const times = [...new Set(lines.flatMap(([, points]) => points.times))].sort((a, b) => a - b);
  const places = new Map(times.map((time, index) => [time, index]));
  return {
    times,
    lines: lines.map(([label, points]) => {
      const values: (number | null | undefined)[] = new Array(times.length).fill(undefined);
      for (const [index, time] of points.times.entries()) {
        const value = points.values[index]!;
        values[places.get(time)!] = Number.isNaN(value) ? null : value;
      }
      return { label, values };
    }),
  };
}
