import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { projectRoot } from '../src/base/project.js';

/** What the dashboards take from the fleet's own configuration, so that it is written once. */

const file = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** The fleet's local day, as the service's configuration has it: axes and "today" follow it wherever one looks from. */
export const timeZone = (parseYaml(file('config/taxi-fleet.yaml')) as { timeZone: string }).timeZone;

/** The zones of Manhattan, each name once. */
export const zones: readonly string[] = manhattan();

/** Of these zones the boardings are drawn until somebody chooses others. */
export const chosenZones = ['Midtown Center', 'Penn Station/Madison Sq West', 'Upper East Side South'];

function manhattan(): string[] {
  const rows = parseCsv(file('config/lookups/zones.csv'), { columns: true }) as {
    zone: string;
    borough: string;
  }[];
  const names = rows.filter(({ borough }) => borough === 'Manhattan').map(({ zone }) => zone);
  return [...new Set(names)].sort();
}
