import { badParameter } from './errors.js';
import { named } from './parameters.js';
import type { Window } from './window.js';

/** Columns that a pivot may have: more than the city has taxi zones, and few enough for a table or a graph to show. */
export const MAX_PIVOT_COLUMNS = 500;

/** The values that a pivoted window names in `columns` and `sort`, or null when it takes all there are. */
export function namedValues({ columns, sort, dataset }: Window): string[] | null {
  if (columns === null) return null;
  const names = new Set([...columns, ...sort.map(({ column }) => column)]);
  return [...names].filter((name) => name !== dataset.timeColumn);
}

/** Throws `BAD_PARAMETER` where a pivot would have too many columns. */
export function checkPivotSize({ pivot }: Window, values: number): void {
  if (values <= MAX_PIVOT_COLUMNS) return;
  throw badParameter(
    `pivot: ${named(pivot!.by)} has more than ${MAX_PIVOT_COLUMNS} values`,
    'keep fewer by a filter, or name those that are wanted in columns',
  );
}

/** The names of a pivot's value columns. One that is called like the time column gets a number: `timestamp_2`. */
export function namesOfValues(values: readonly string[], timeColumn: string | null): string[] {
  return values.map((value) => (value === timeColumn ? nameBeside(value, values) : value));
}

function nameBeside(name: string, taken: readonly string[]): string {
  let n = 2;
  while (taken.includes(`${name}_${n}`)) n++;
  return `${name}_${n}`;
}
