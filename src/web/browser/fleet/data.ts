import type { Row } from '../data/load.js';

/** The queries of the page, by the part that each fills. */
export const READINGS = {
  rides: 'rides-today',
  unassigned: 'unassigned-taxis-count',
  which: 'unassigned-taxis?sort=taxi_id&limit=8',
  taxis: 'taxis-now',
  server: 'api-server',
  course: 'rides-course',
  week: 'rides-per-day?sort=-timestamp&limit=7',
  destinations: 'destinations-per-zone',
  boardings: 'boardings-per-zone-today',
  zones: 'zones?borough=Manhattan',
} as const;

export type Reading = keyof typeof READINGS;
export type FleetData = { readonly [Key in Reading]?: readonly Row[] };

/** A number of a row, or null. */
export function numberOf(row: Row | undefined, column: string): number | null {
  const cell = row?.[column] ?? null;
  return cell === null || cell === '' ? null : Number(cell);
}
