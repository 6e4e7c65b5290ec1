import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { projectRoot } from '../src/base/project.js';
import type { Zone } from './flavour.js';

/** What the dashboards take from the fleet's own configuration, so that it is written once. */

const file = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** The fleet's local day, as the service's configuration has it: axes and "today" follow it wherever one looks from. */
export const timeZone = (parseYaml(file('config/taxi-fleet.yaml')) as { timeZone: string }).timeZone;

/** The zones of Manhattan by name; of zones that share a name, the one with the lowest number. */
export const zones: readonly Zone[] = manhattan();

/** Of these zones the boardings are drawn until somebody chooses others. */
export const chosenZones = zones.filter(({ id }) => ['161', '230', '237', '79'].includes(id));

interface ZoneRow {
  readonly zone_id: string;
  readonly zone: string;
  readonly borough: string;
}

function manhattan(): Zone[] {
  const rows = parseCsv(file('config/lookups/zones.csv'), { columns: true }) as ZoneRow[];
  const byName = new Map<string, Zone>();
  for (const { zone_id: id, zone: name, borough } of rows) {
    if (borough === 'Manhattan' && !byName.has(name)) byName.set(name, { id, name });
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
